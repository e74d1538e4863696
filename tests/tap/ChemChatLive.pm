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
use JSON::PP ();
use MIME::Base64 qw(encode_base64);
use POSIX ();
use Time::HiRes qw(sleep time);

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;

our @EXPORT = qw(redis_start redis_signal redis_do ear_open ear_listen
  live_channel start_daemon stop_daemon metric ready_reason CHANNELS
  proxy_start proxy_swallow proxy_swallowed
  ws_open ws_send ws_next ws_expect ws_close);

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

# Starts one on a port that stays the same over restarts; for a new one further
# addresses to listen on may follow.
sub redis_start
{
	my ($redis, @more) = @_;
	$redis //= { port => PostgreSQL::Test::Cluster::get_free_port(),
		addresses => [ '127.0.0.1', @more ] };
	my $child = start_child("redis_$redis->{port}", 'redis-server', '--port',
		$redis->{port}, '--bind', @{ $redis->{addresses} }, '--save', '',
		'--appendonly', 'no', '--protected-mode', 'no',
		'--enable-debug-command', 'local');
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

# --- between a gateway and Redis

# Passes everything on, but for live messages it is told to swallow.
sub proxy_start
{
	my ($redis) = @_;
	my $proxy = {
		port => PostgreSQL::Test::Cluster::get_free_port(),
		order => "${PostgreSQL::Test::Utils::tmp_check}/proxy.swallow",
		done => "${PostgreSQL::Test::Utils::tmp_check}/proxy.swallowed"
	};
	unlink $proxy->{order}, $proxy->{done};
	my $listener = IO::Socket::INET->new(LocalAddr => '127.0.0.1',
		LocalPort => $proxy->{port}, Listen => 8, ReuseAddr => 1)
	  or croak "proxy: $!";
	my $pid = fork // croak "fork: $!";
	if ($pid == 0)
	{
		@children = ();
		eval { run_proxy($listener, $redis->{port}, $proxy) };
		print STDERR "proxy: $@" if $@;
		POSIX::_exit(0);
	}
	push @children, $pid;
	$proxy->{url} = "redis://127.0.0.1:$proxy->{port}";
	return $proxy;
}

# The next live message that holds this text is lost on the way.
sub proxy_swallow
{
	my ($proxy, $text) = @_;
	unlink $proxy->{done};
	append_to_file("$proxy->{order}.new", $text);
	rename "$proxy->{order}.new", $proxy->{order} or croak "rename: $!";
	return;
}

sub proxy_swallowed
{
	my ($proxy) = @_;
	return -e $proxy->{done};
}

sub run_proxy
{
	my ($listener, $redis_port, $proxy) = @_;
	my $select = IO::Select->new($listener);
	my %peer;
	my %is_server;
	my %bytes;
	while (1)
	{
		foreach my $ready ($select->can_read(1))
		{
			if ($ready == $listener)
			{
				my $client = $listener->accept or next;
				my $server = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
					PeerPort => $redis_port, Proto => 'tcp') or next;
				@peer{$client, $server} = ($server, $client);
				$is_server{$server} = 1;
				@bytes{$client, $server} = ('', '');
				$select->add($client, $server);
				next;
			}
			my $to = $peer{$ready} or next;
			if (!sysread $ready, $bytes{$ready}, 65536, length $bytes{$ready})
			{
				$select->remove($ready, $to);
				close $_ foreach $ready, $to;
				next;
			}
			my $out = '';
			if ($is_server{$ready})
			{
				while (defined(my $reply = take_whole(\$bytes{$ready})))
				{
					$out .= $reply if !is_swallowed($proxy, $reply);
				}
			}
			else
			{
				($out, $bytes{$ready}) = ($bytes{$ready}, '');
			}
			write_all($to, $out);
		}
	}
}

# One whole reply of any kind from the front of the bytes, as it came.
sub take_whole
{
	my ($bytes) = @_;
	my $left = 1;
	pos($$bytes) = 0;
	while ($left > 0)
	{
		if ($$bytes =~ /\G[+:-][^\r]*\r\n/gc || $$bytes =~ /\G\$-1\r\n/gc)
		{
			$left--;
		}
		elsif ($$bytes =~ /\G\*(\d+)\r\n/gc)
		{
			$left += $1 - 1;
		}
		elsif ($$bytes =~ /\G\$(\d+)\r\n/gc
			&& length($$bytes) - pos($$bytes) >= $1 + 2)
		{
			pos($$bytes) += $1 + 2;
			$left--;
		}
		else
		{
			return;
		}
	}
	return substr $$bytes, 0, pos($$bytes), '';
}

sub is_swallowed
{
	my ($proxy, $reply) = @_;
	return 0 if $reply !~ /^\*3\r\n\$8\r\nsmessage\r\n/ || !-e $proxy->{order};
	my $text = slurp_file($proxy->{order});
	return 0 if index($reply, $text) < 0;
	rename $proxy->{order}, $proxy->{done};
	return 1;
}

sub write_all
{
	my ($socket, $bytes) = @_;
	my $at = 0;
	while ($at < length $bytes)
	{
		my $n = syswrite $socket, $bytes, length($bytes) - $at, $at;
		return if !$n;
		$at += $n;
	}
	return;
}

# --- a person at a gateway (docs/protocol.md, over RFC 6455)

# Connects and says hello; the socket with {welcome} in it.
sub ws_open
{
	my ($port, $token) = @_;
	my $socket = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
		PeerPort => $port, Proto => 'tcp', Timeout => 5) or croak "gateway: $!";
	binmode $socket;
	my $key = encode_base64(join('', map { chr int rand 256 } 1 .. 16), '');
	write_all($socket, "GET /v1/ws HTTP/1.1\r\nHost: 127.0.0.1:$port\r\n"
		. "Upgrade: websocket\r\nConnection: Upgrade\r\n"
		. "Sec-WebSocket-Key: $key\r\nSec-WebSocket-Version: 13\r\n"
		. "Sec-WebSocket-Protocol: chemchat.v1.json\r\n\r\n");
	my $ws = { socket => $socket, bytes => '' };
	my $end = time + 10;
	while ($ws->{bytes} !~ /\r\n\r\n/)
	{
		croak "no upgrade" if time > $end
		  || !sysread $socket, $ws->{bytes}, 4096, length $ws->{bytes};
	}
	(my $head, $ws->{bytes}) = split /\r\n\r\n/, $ws->{bytes}, 2;
	croak "refused: $head" if $head !~ m{^HTTP/1\.1 101 };
	ws_send($ws, { type => 'hello', token => $token });
	$ws->{welcome} = ws_expect($ws, 10, sub { $_->{type} eq 'welcome' })
	  or croak "no welcome";
	return $ws;
}

sub ws_send
{
	my ($ws, $frame) = @_;
	write_all($ws->{socket}, ws_frame(1, JSON::PP::encode_json($frame)));
	return;
}

sub ws_frame
{
	my ($opcode, $payload) = @_;
	my $len = length $payload;
	my $head = pack 'C', 0x80 | $opcode;
	$head .= $len < 126 ? pack('C', 0x80 | $len) : pack('Cn', 0x80 | 126, $len);
	my $mask = pack 'N', int rand 2**32;
	return $head . $mask
	  . ($payload ^ substr($mask x ($len / 4 + 1), 0, $len));
}

# The next frame that came, waiting so long for it; undef when none did.
sub ws_next
{
	my ($ws, $seconds) = @_;
	my $end = time + $seconds;
	my $select = IO::Select->new($ws->{socket});
	while (1)
	{
		if (defined(my $frame = ws_take($ws)))
		{
			return $frame;
		}
		my $left = $end - time;
		return if $left <= 0 || !$select->can_read($left);
		return if !sysread $ws->{socket}, $ws->{bytes}, 65536,
		  length $ws->{bytes};
	}
}

# One text frame from the front of the bytes; pings are answered on the way.
sub ws_take
{
	my ($ws) = @_;
	while (length $ws->{bytes} >= 2)
	{
		my ($first, $len) = unpack 'CC', $ws->{bytes};
		my $at = 2;
		if ($len >= 126)
		{
			my $wide = $len == 126 ? 2 : 8;
			return if length $ws->{bytes} < 2 + $wide;
			$len = unpack $len == 126 ? 'n' : 'Q>', substr($ws->{bytes}, 2, $wide);
			$at += $wide;
		}
		return if length $ws->{bytes} < $at + $len;
		my $payload = substr substr($ws->{bytes}, 0, $at + $len, ''), $at;
		my $opcode = $first & 0x0f;
		return JSON::PP::decode_json($payload) if $opcode == 1;
		write_all($ws->{socket}, ws_frame(10, $payload)) if $opcode == 9;
	}
	return;
}

# The first frame for which the code, with it in $_, says true; what came
# before is in {passed}.
sub ws_expect
{
	my ($ws, $seconds, $code) = @_;
	my $end = time + $seconds;
	$ws->{passed} = [];
	while ((my $left = $end - time) > 0)
	{
		my $frame = ws_next($ws, $left) or last;
		local $_ = $frame;
		return $frame if $code->();
		push @{ $ws->{passed} }, $frame;
	}
	return;
}

sub ws_close
{
	my ($ws) = @_;
	close $ws->{socket};
	return;
}

1;
