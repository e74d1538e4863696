# ChemChatLive - a Redis of one's own, and an ear on the live channels
#
# The reader of live messages here is written from the text of
# common/wire/redis_keys.h and event.h, on purpose without a look at the C.
package ChemChatLive;

use strict;
use warnings FATAL => 'all';
use Carp;
use Exporter 'import';
use IO::Select;
use IO::Socket::INET;
use POSIX ();
use Time::HiRes qw(sleep time);

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;

our @EXPORT = qw(redis_start redis_signal redis_do ear_open ear_listen
  live_channel start_daemon stop_daemon metric ready_reason CHANNELS);

use constant CHANNELS => 64;

my @children;

# --- processes

# Starts a program with its log in tmp_check/log; ended with the test.
sub start_child
{
	my ($name, @command) = @_;
	my $log = "${PostgreSQL::Test::Utils::log_path}/$name.log";
	my $pid = fork // croak "fork: $!";
	if ($pid == 0)
	{
		open STDIN, '<', '/dev/null';
		open STDOUT, '>>', $log or POSIX::_exit(127);
		open STDERR, '>&', \*STDOUT;
		{ exec { $command[0] } @command };
		POSIX::_exit(127);
	}
	push @children, $pid;
	return { pid => $pid, log => $log, name => $name };
}

sub end_child
{
	my ($child, $signal) = @_;
	kill CONT => $child->{pid};
	kill $signal => $child->{pid};
	waitpid $child->{pid}, 0;
	my $status = $?;
	@children = grep { $_ != $child->{pid} } @children;
	return $status;
}

END
{
	my $status = $?;
	foreach my $pid (@children)
	{
		kill CONT => $pid;
		kill KILL => $pid;
		waitpid $pid, 0;
	}
	$? = $status;
}

# --- Redis

# Starts one on a port that stays the same over restarts.
sub redis_start
{
	my ($redis) = @_;
	$redis //= { port => PostgreSQL::Test::Cluster::get_free_port() };
	my $child = start_child("redis_$redis->{port}", 'redis-server', '--port',
		$redis->{port}, '--bind', '127.0.0.1', '--save', '', '--appendonly',
		'no', '--enable-debug-command', 'local');
	$redis->{child} = $child;
	$redis->{url} = "redis://127.0.0.1:$redis->{port}";
	for (1 .. 200)
	{
		my $answer = eval { redis_do($redis, 'PING') } // '';
		return $redis if $answer eq 'PONG';
		sleep 0.05;
	}
	croak "Redis did not start: see $child->{log}";
}

# KILL, STOP or CONT; KILL waits for the end.
sub redis_signal
{
	my ($redis, $signal) = @_;
	return end_child($redis->{child}, 'KILL') if $signal eq 'KILL';
	kill $signal => $redis->{child}{pid};
	return;
}

# One command on a connection of its own; the answer as redis-cli prints it.
sub redis_do
{
	my ($redis, @command) = @_;
	my ($out, $err) = run_command([ 'redis-cli', '-p', $redis->{port}, @command ]);
	return $out;
}

# --- the ear

# Subscribes to every live channel.
sub ear_open
{
	my ($redis) = @_;
	my $socket = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
		PeerPort => $redis->{port}, Proto => 'tcp') or croak "Redis: $!";
	binmode $socket;
	foreach my $n (0 .. CHANNELS - 1)
	{
		my $name = "{chemchat:$n}:live";
		print $socket "*2\r\n\$10\r\nSSUBSCRIBE\r\n\$" . length($name)
		  . "\r\n$name\r\n";
	}
	$socket->flush;
	my $ear = { socket => $socket, bytes => '', subscribed => 0 };
	ear_listen($ear, sub { $ear->{subscribed} == CHANNELS }, 10);
	return $ear;
}

# Listens until the code, called with each message (or undef, now and then),
# returns true; false after so many seconds or when Redis hangs up.
sub ear_listen
{
	my ($ear, $code, $seconds) = @_;
	my $end = time + ($seconds // 30);
	my $select = IO::Select->new($ear->{socket});
	while (1)
	{
		while (defined(my $reply = take_reply(\$ear->{bytes})))
		{
			if ($reply->[0] eq 'ssubscribe')
			{
				$ear->{subscribed}++;
			}
			elsif ($reply->[0] eq 'smessage')
			{
				my $message = read_message($reply->[1], $reply->[2]);
				return 1 if $code->($message);
			}
			else
			{
				croak "unexpected from Redis: @$reply";
			}
		}
		return 1 if $code->(undef);
		my $left = $end - time;
		return 0 if $left <= 0;
		next if !$select->can_read($left < 0.1 ? $left : 0.1);
		my $n = sysread $ear->{socket}, $ear->{bytes}, 65536,
		  length $ear->{bytes};
		return 0 if !$n;
	}
}

# One array of three from the front of the bytes, or undef: not all is there.
sub take_reply
{
	my ($bytes) = @_;
	$$bytes =~ /\G\*3\r\n/g or do { pos($$bytes) = 0; return };
	my @part;
	foreach (1 .. 3)
	{
		if ($$bytes =~ /\G:(\d+)\r\n/gc)
		{
			push @part, $1;
			next;
		}
		if ($$bytes !~ /\G\$(\d+)\r\n/gc
			|| length($$bytes) - pos($$bytes) < $1 + 2)
		{
			pos($$bytes) = 0;
			return;
		}
		push @part, substr($$bytes, pos($$bytes), $1);
		pos($$bytes) += $1 + 2;
	}
	substr($$bytes, 0, pos($$bytes), '');
	pos($$bytes) = 0;
	return \@part;
}

sub read_message
{
	my ($name, $bytes) = @_;
	my ($channel) = $name =~ /^\{chemchat:(\d+)\}:live$/
	  or croak "a message on $name";
	my ($version, $kind, $count, $timeline, $incarnation, $number, $system_id,
		$end_lsn) = unpack 'CanNQ>Q>Q>Q>', $bytes;
	croak "not a live message" if $version != 1 || $kind !~ /^[eh]$/;
	my @events;
	my $at = 40;
	foreach (1 .. $count)
	{
		my $len = unpack 'N', substr($bytes, $at, 4);
		my $record = substr($bytes, $at + 4, $len);
		my ($v, $event_kind, $flags, $trace, $key, $id, $ev, $seq, $rev, $us,
			$json_len) = unpack 'CaCCa16a16Q>Q>Q>q>N', $record;
		croak "not an event" if $v != 1 || 72 + $trace + $json_len != $len;
		push @events, { kind => $event_kind, flags => $flags,
			key => uuid_text($key), ev => $ev, seq => $seq, rev => $rev,
			json => substr($record, 72 + $trace) };
		$at += 4 + $len;
	}
	croak "bytes behind the last event" if $at != length $bytes;
	return { channel => $channel, is_heartbeat => $kind eq 'h',
		timeline => $timeline, incarnation => $incarnation,
		number => $number, system_id => $system_id, end_lsn => $end_lsn,
		events => \@events };
}

sub uuid_text
{
	return join '-', unpack 'H8H4H4H4H12', shift;
}

# murmur2 as Kafka's Java client has it, over 64.
sub live_channel
{
	my ($text) = @_;
	my $m = 0x5bd1e995;
	my $len = length $text;
	my $h = (0x9747b28c ^ $len) & 0xffffffff;
	my $whole = $len - $len % 4;
	foreach my $k (unpack 'V*', substr($text, 0, $whole))
	{
		$k = ($k * $m) & 0xffffffff;
		$k ^= $k >> 24;
		$k = ($k * $m) & 0xffffffff;
		$h = (($h * $m) & 0xffffffff) ^ $k;
	}
	my @rest = unpack 'C*', substr($text, $whole);
	$h ^= $rest[2] << 16 if @rest > 2;
	$h ^= $rest[1] << 8 if @rest > 1;
	$h = (($h ^ $rest[0]) * $m) & 0xffffffff if @rest;
	$h ^= $h >> 13;
	$h = ($h * $m) & 0xffffffff;
	$h ^= $h >> 15;
	return ($h & 0x7fffffff) % CHANNELS;
}

# --- our daemons

# Starts one of our programs, options as name => value, with an operations
# port; waits until that answers.
sub start_daemon
{
	my ($program, $name, %options) = @_;
	my $port_file = "${PostgreSQL::Test::Utils::tmp_check}/$name.ops_port";
	unlink $port_file;
	my @command = ("$ENV{CHEMCHAT_BIN}/$program", '--ops-port-file', $port_file);
	foreach my $option (sort keys %options)
	{
		(my $flag = $option) =~ tr/_/-/;
		push @command, "--$flag=$options{$option}";
	}
	my $daemon = start_child($name, @command);
	for (1 .. 400)
	{
		if (-s $port_file)
		{
			chomp($daemon->{ops_port} = slurp_file($port_file));
			return $daemon;
		}
		croak "$program ended: see $daemon->{log}"
		  if waitpid($daemon->{pid}, POSIX::WNOHANG()) != 0;
		sleep 0.05;
	}
	croak "$program does not answer: see $daemon->{log}";
}

sub stop_daemon
{
	my ($daemon, $signal) = @_;
	return end_child($daemon, $signal // 'TERM');
}

sub http_get
{
	my ($port, $path) = @_;
	my $socket = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
		PeerPort => $port, Proto => 'tcp', Timeout => 5) or return '';
	print $socket "GET $path HTTP/1.1\r\nHost: localhost\r\n"
	  . "Connection: close\r\n\r\n";
	local $/;
	return <$socket> // '';
}

# The sum of a metric over its labels (or of those that match); undef when
# it is not there.
sub metric
{
	my ($daemon, $name, $labels) = @_;
	my $sum;
	foreach my $line (split /\n/, http_get($daemon->{ops_port}, '/metrics'))
	{
		$line =~ /^\Q$name\E(\{[^}]*\})? (\S+)/ or next;
		next if defined $labels && index($1 // '', $labels) < 0;
		$sum = ($sum // 0) + $2;
	}
	return $sum;
}

# '' when ready, else what /readyz says.
sub ready_reason
{
	my ($daemon) = @_;
	my $answer = http_get($daemon->{ops_port}, '/readyz');
	return $answer =~ m{^HTTP/1.1 200 } ? '' : $answer || 'no answer';
}

1;
