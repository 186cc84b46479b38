import sys

first = input()
rest = [int(word) for line in sys.stdin for word in line.split()]
print(f"{first}: {len(rest)} numbers, sum {sum(rest)}")
