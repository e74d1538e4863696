# takeover.pl SIGNAL PID PORT - ends the relay PID and waits for the other one
#
# Prints after how many milliseconds the relay whose operations port is PORT
# had its first record acknowledged by Kafka.  Looks every 5 ms.
use strict;
use warnings FATAL => 'all';
use IO::Socket::INET;
use Time::HiRes qw(sleep time);

my ($signal, $pid, $port) = @ARGV;

sub acknowledged
{
	my $socket = IO::Socket::INET->new(PeerAddr => "127.0.0.1:$port")
	  or die "no relay at port $port\n";
	print $socket "GET /metrics HTTP/1.0\r\n\r\n";
	local $/;
	return <$socket> =~
	  /^chemchat_relay_records_acknowledged_total\S* (\d+)/m ? $1 : die "no metric\n";
}

my $before = acknowledged();
my $began = time;
kill $signal => $pid or die "no process $pid\n";
while (acknowledged() == $before)
{
	die "not taken over in 60 s\n" if time - $began > 60;
	sleep 0.005;
}
printf "%.0f\n", (time - $began) * 1000;
