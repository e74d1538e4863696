#!/usr/bin/perl
# ready.pl HOST PORT SECONDS - waits until a broker can serve a producer
#
# A broker answers metadata before it can hand out producer ids, and the first
# idempotent producer then waits for seconds.  So we ask for what it will ask
# for: an InitProducerId (key 22, version 1) without a transactional id must
# be answered with an id.  No topic is needed, nothing is written but the
# broker's own counter.  Exit 0 when ready, 1 with the reason at the deadline.
use strict;
use warnings;
use IO::Socket::INET;
use Time::HiRes qw(sleep time);

my ($host, $port, $seconds) = @ARGV;
my $deadline = time + $seconds;
my $reason = 'no answer';

# All integers are big-endian; a string is its length in 16 bits and its bytes.
#   request:  size32 key16 version16 correlation32 client_id | body
#   body:     transactional_id (length -1: null), transaction_timeout_ms32
#   response: size32 correlation32 | throttle_ms32 error16 producer_id64 epoch16
sub ask_producer_id
{
	my $socket = IO::Socket::INET->new(
		PeerAddr => $host, PeerPort => $port, Timeout => 2)
	  or return "could not connect: $@";
	my $request = pack('n n N n/a* n N', 22, 1, 1, 'ready', 0xffff, 60000);
	syswrite($socket, pack('N', length $request) . $request)
	  or return "could not send: $!";
	my $answer = '';
	my $until = time + 5;
	while (length $answer < 24)
	{
		my $ready = '';
		vec($ready, fileno $socket, 1) = 1;
		my $left = $until - time;
		select($ready, undef, undef, $left > 0 ? $left : 0)
		  or return 'no answer within 5 s';
		sysread($socket, $answer, 64, length $answer)
		  or return 'closed the connection';
	}
	my (undef, undef, undef, $error) = unpack('N N N n', $answer);
	return $error == 0 ? '' : "error $error to InitProducerId";
}

$SIG{PIPE} = 'IGNORE';
while (time < $deadline)
{
	$reason = ask_producer_id();
	exit 0 if $reason eq '';
	sleep 0.1;
}
print STDERR "Kafka at $host:$port is not ready: $reason\n";
exit 1;
