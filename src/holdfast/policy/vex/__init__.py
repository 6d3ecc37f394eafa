"""VEX: what authors say of whether vulnerabilities in their products can be exploited."""
