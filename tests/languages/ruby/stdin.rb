title = gets.chomp
numbers = $stdin.read.split.map(&:to_i)
puts "#{title}: #{numbers.size} numbers, sum #{numbers.sum}"
