"""What the Python tests share: generated stubs, a daemon of one's own, a client, time scaling."""
