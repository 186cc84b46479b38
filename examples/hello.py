print("Hello from the inside of a caisson.")
