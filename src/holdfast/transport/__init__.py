"""HTTP for everything that is not an attack: limits, deadlines, retries, resume, proxies, and the offline promise."""
