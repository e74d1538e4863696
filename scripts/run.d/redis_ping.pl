#!/usr/bin/perl
# redis_ping.pl - does this Redis answer, with this name and password?
#
# Reads redis://[[user]:password@]host[:port][/db] or unix://[...@]/path[?db=n]
# from standard input, so that no password stands in an argument.  Exit status
# 1, and one line that says why, never with the password, when it does not
# answer as it should within five seconds.
use strict;
use warnings;
use IO::Socket::IP;
use IO::Socket::UNIX;

local $/;
my $text = <STDIN>;
my ($socket, $where, $login, $database);

$SIG{ALRM} = sub { fail('no answer within 5 s at ' . ($where // 'it')) };
alarm 5;

sub fail
{
	my ($why) = @_;
	print STDERR "$why\n";
	exit 1;
}

sub decode
{
	my ($s) = @_;
	$s =~ s/%([0-9A-Fa-f]{2})/chr hex $1/ge;
	return $s;
}

# Sends one command; its answer has to begin with '+'.
sub ask
{
	my (@words) = @_;
	local $/ = "\r\n";
	print $socket '*' . @words . "\r\n",
	  map { '$' . length($_) . "\r\n$_\r\n" } @words;
	$socket->flush;
	my $answer = <$socket> // fail("$where hung up");
	chomp $answer;
	return if $answer =~ /^\+/;
	$answer =~ s/[^\x20-\x7e]/?/g;
	fail("$where answered $words[0] with \"" . substr($answer, 0, 120) . '"');
}

if ($text =~ m{^redis://(?:([^@/]*)@)?(\[[0-9A-Fa-f:.]+\]|[^:/\[\]@\s]+)(?::(\d+))?(?:/(\d*))?$})
{
	my ($host, $port) = ($2, $3 // 6379);
	($login, $database) = ($1, $4);
	$where = "$host:$port";
	$host =~ s/^\[(.*)\]$/$1/;
	$socket = IO::Socket::IP->new(PeerHost => $host, PeerPort => $port)
	  or fail("nobody answers at $where");
}
elsif ($text =~ m{^unix://(?:([^@/]*)@)?(/[^?]+)(?:\?db=(\d+))?$})
{
	($login, $where, $database) = ($1, $2, $3);
	$socket = IO::Socket::UNIX->new(Peer => $where)
	  or fail("nobody answers at $where");
}
elsif ($text =~ m{^rediss://})
{
	fail('rediss:// (TLS) is not supported');
}
else
{
	fail('not a Redis URL: redis://[user:password@]host:port/db');
}
if (defined $login && $login =~ /^(.*?):(.*)$/s)
{
	ask('AUTH', ($1 eq '' ? () : decode($1)), decode($2));
}
ask('PING');
ask('SELECT', $database) if defined $database && $database ne '';
