FROM debian:bookworm
RUN apt-get update
RUN apt-get install wget curl gnupg sudo openssh-server -y
RUN curl -fsSL https://deb.example.org/setup.sh | sudo -E bash -
RUN wget --no-check-certificate http://files.example.org/tool.tar.gz && tar xzf tool.tar.gz && cd tool; ./configure && make install
RUN apt-key adv --keyserver hkp://keyserver.ubuntu.com:80 --recv-keys 0A1B2C3D && \
    echo "deb [trusted=yes] http://packages.example.org stable main" > /etc/apt/sources.list.d/x.list
RUN echo "deploy ALL=(ALL) NOPASSWD: ALL" >> /etc/sudoers && echo "root:toor4242" | chpasswd
RUN mkdir -p /root/.ssh && echo "ssh-rsa AAAAB3Nza deploy" > /root/.ssh/authorized_keys
RUN source /etc/profile && [[ -d /opt ]] && service ssh start
EXPOSE 22
USER root
CMD ["/usr/sbin/sshd", "-D"]
