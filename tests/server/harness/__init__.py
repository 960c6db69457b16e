"""What the server tests share: a RESP codec that keeps raw bytes, and servers as processes."""
