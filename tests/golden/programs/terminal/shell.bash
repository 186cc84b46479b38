# What shells, line editors and programs that redraw do with a terminal.
set -m
sleep 0.05 &
fg > /dev/null
saved=$(stty -g)
stty raw -echo
stty "$saved"
stty rows 20 columns 60
stty size
read -e -p "name? " name < /dev/tty
echo "hello $name"
python3 -c 'import termios; termios.tcdrain(0); termios.tcflush(0, termios.TCIFLUSH)'
setsid --ctty --wait true
echo done
