at_exit { puts "leaving" }
exit 7
