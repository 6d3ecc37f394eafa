FROM fedora:42
RUN dnf install nginx && dnf clean all
RUN yum -y install epel-release --nogpgcheck
RUN rpm -i --nosignature https://example.org/x.rpm
RUN zypper install vim
RUN ["dnf", "-y", "install", "tar"]
VOLUME ["/etc", "/var/run/docker.sock"]
EXPOSE 80 2375 99999
RUN setcap cap_sys_admin+ep /usr/bin/nginx && chmod 4755 /usr/bin/nginx
CMD ["nginx", "-g", "daemon off;"]
CMD ["nginx"]
