# ChemChatKafka - a Kafka, relays, a load, and the oracle over the whole topic
#
# The oracle is written from DESIGN's and docs/protocol.md's words, without a
# look at the C: murmur2, headers and order are judged by a second reading.
package ChemChatKafka;

use strict;
use warnings FATAL => 'all';
use Carp;
use Exporter 'import';
use POSIX ();
use Time::HiRes qw(sleep time);

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use ChemChat;

our @EXPORT = qw(kafka_start kafka_kill kafka_stop kafka_pid kafka_tool
  relay_start relay_signal relay_end relay_stop relay_log relay_metric
  relay_says relay_is_streaming relay_wait_drained make_conversations load_start load_end
  send_many read_topic judge is_whole slot_of stream_row java_partition
  rss_peak_kb);

my $top = $ENV{CHEMCHAT_TOP} // '.';
my $bin = $ENV{CHEMCHAT_BIN} // "$top/build/release/bin";
my $kill_bin = $ENV{CHEMCHAT_KILL_BIN} // "$top/build/kill/bin";
my @children;
my @kafkas;

END
{
	my $status = $?;
	foreach my $pid (@children)
	{
		kill CONT => $pid;
		kill KILL => $pid;
		waitpid $pid, 0;
	}
	kafka_kill($_) foreach grep { $_->{runs} } @kafkas;
	$? = $status;
}

# --- Kafka

# Starts one, or one that was stopped.  For a new one: ports => [its own, its
# controller's], settings => further lines for its server.properties.
sub kafka_start
{
	my ($kafka, %options) = @_;
	if (!$kafka)
	{
		$kafka = { dir => "${PostgreSQL::Test::Utils::tmp_check}/kafka" . @kafkas };
		push @kafkas, $kafka;
		mkdir $kafka->{dir};
		append_to_file("$kafka->{dir}/more.properties", $options{settings})
		  if $options{settings};
	}
	local $ENV{CHEMCHAT_KAFKA_HEAP} = '256m';
	my ($out, $err) = run_command([ "$top/scripts/kafka", 'start', $kafka->{dir},
			@{ $options{ports} // [] } ]);
	croak "Kafka did not start: $err" if $out !~ /:/;
	$kafka->{address} = (split /\n/, $out)[-1];
	$kafka->{runs} = 1;
	return $kafka;
}

sub kafka_pid
{
	my ($kafka) = @_;
	return (split ' ', slurp_file("$kafka->{dir}/pid"))[0];
}

sub kafka_kill { return kafka_end(shift, 'now'); }
sub kafka_stop { return kafka_end(shift); }

sub kafka_end
{
	my ($kafka, @how) = @_;
	run_command([ "$top/scripts/kafka", 'stop', $kafka->{dir}, @how ]);
	$kafka->{runs} = 0;
	return;
}

# One of Kafka's own command line tools: kafka_tool($kafka, 'TopicCommand', ...)
sub kafka_tool
{
	my ($kafka, $tool, @args) = @_;
	my ($jars) = run_command([ "$top/scripts/kafka", 'jars' ]);
	my $class = $tool =~ /\./ ? $tool : "org.apache.kafka.tools.$tool";
	my ($out, $err) = run_command([ 'java', '-Xmx128m', '-cp', "$jars/*", $class,
		'--bootstrap-server', $kafka->{address}, @args ]);
	return "$out$err";
}

# --- relays

# Starts one; kill_at => 'point:count' uses the build that dies there.  Other
# options are the relay's settings.
sub relay_start
{
	my ($node, $kafka, %options) = @_;
	my $name = delete $options{name} // 'relay';
	my $kill_at = delete $options{kill_at};
	my $database = delete $options{database} // 'postgres';
	my $port = PostgreSQL::Test::Cluster::get_free_port();
	my $log = "${PostgreSQL::Test::Utils::log_path}/$name.log";
	my $from = -s $log // 0;
	my $program = ($kill_at ? $kill_bin : $bin) . '/chemchat-relay';
	my %settings = (
		pg => $node->connstr($database) . ' user=' . scalar getpwuid($<),
		ops_port => $port,
		($kafka ? (kafka => $kafka->{address}) : (sink => 'null')),
		%options);
	my @command = ($program, map { ("--$_", $settings{$_}) } sort keys %settings);

	my $pid = fork // croak "fork: $!";
	if ($pid == 0)
	{
		$ENV{CHEMCHAT_KILL_AT} = $kill_at if $kill_at;
		open STDIN, '<', '/dev/null';
		open STDOUT, '>>', $log or POSIX::_exit(127);
		open STDERR, '>&', \*STDOUT;
		{ exec { $command[0] } @command };
		POSIX::_exit(127);
	}
	push @children, $pid;
	return { pid => $pid, log => $log, from => $from, port => $port,
		name => $name };
}

sub relay_signal
{
	my ($relay, $signal) = @_;
	kill $signal => $relay->{pid};
	return;
}

# Waits for its end: "exit N" or "signal N".
sub relay_end
{
	my ($relay, $seconds) = @_;
	wait_until("$relay->{name} ends",
		sub { waitpid($relay->{pid}, POSIX::WNOHANG()) == $relay->{pid} },
		$seconds // 60);
	my $status = $?;
	@children = grep { $_ != $relay->{pid} } @children;
	return $status & 127 ? 'signal ' . ($status & 127) : 'exit ' . ($status >> 8);
}

sub relay_stop
{
	my ($relay) = @_;
	relay_signal($relay, 'TERM');
	return relay_end($relay);
}

# What this one has logged.
sub relay_log
{
	my ($relay) = @_;
	return '' if !-e $relay->{log};
	return substr(slurp_file($relay->{log}), $relay->{from});
}

# The value of a metric, or undef; sink as its label.
sub relay_metric
{
	my ($relay, $name, $sink) = @_;
	$sink //= 'kafka';
	my $text = http_get($relay->{port}, '/metrics');
	return $text =~ /^\Q$name\E\{sink="$sink"\} (\S+)$/m ? $1
	  : $text =~ /^\Q$name\E (\S+)$/m ? $1 : undef;
}

sub http_get
{
	my ($port, $path) = @_;
	require IO::Socket::INET;
	my $socket = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
		PeerPort => $port, Proto => 'tcp', Timeout => 5) or return '';
	print $socket "GET $path HTTP/1.0\r\n\r\n";
	local $/;
	return <$socket> // '';
}

# The whole answer of its operations port.
sub relay_says
{
	my ($relay, $path) = @_;
	return http_get($relay->{port}, $path);
}

sub relay_is_streaming
{
	my ($relay, $seconds) = @_;
	return wait_until("$relay->{name} streams",
		sub { relay_metric($relay, 'chemchat_relay_is_streaming') }, $seconds);
}

# --- the database's side

sub slot_of
{
	my ($node, $database) = @_;
	return $node->safe_psql($database // 'postgres',
		'SELECT chemchat.slot_name()');
}

sub stream_row
{
	my ($node, $columns) = @_;
	return $node->safe_psql('postgres', "SELECT $columns FROM chemchat.stream");
}

# Waits until everything committed so far is acknowledged, on record and
# confirmed.
sub relay_wait_drained
{
	my ($node, $seconds) = @_;
	my $lsn = $node->safe_psql('postgres', q{
		SELECT pg_logical_emit_message(false, 'marker', '') ;
		SELECT pg_current_wal_insert_lsn()});
	$lsn = (split /\n/, $lsn)[-1];
	my $slot = slot_of($node);
	return wait_until('the outbox is empty', sub {
		return $node->safe_psql('postgres', qq{
			SELECT coalesce(bool_and(events = 0 AND state = 'streaming'), false)
			  FROM chemchat.outbox_status() WHERE slot = '$slot'}) eq 't'
		  && $node->safe_psql('postgres', qq{
			SELECT is_repaired FROM chemchat.stream
			 WHERE slot = '$slot'}) eq 't';
	}, $seconds);
}

# Users, n conversations of four members, and a table of who may send where.
sub make_conversations
{
	my ($node, $n) = @_;
	$node->safe_psql('postgres', qq{
		CREATE TABLE seat (no serial PRIMARY KEY, sender uuid, conversation uuid);
		DO \$\$
		DECLARE users uuid[]; c uuid;
		BEGIN
			SELECT array_agg((SELECT id FROM chemchat.create_user('user' || i)))
			  INTO users FROM generate_series(1, 4) AS i;
			FOR i IN 1..$n LOOP
				SELECT id INTO c FROM chemchat.create_conversation(users[1],
					'group', 'conversation ' || i, users[2:4]);
				INSERT INTO seat (sender, conversation)
					SELECT u, c FROM unnest(users) AS u;
			END LOOP;
		END \$\$});
	return;
}

# Sends so many messages in transactions of so many, over all seats.
sub send_many
{
	my ($node, $count, $per) = @_;
	$per //= 1;
	$node->safe_psql('postgres', qq{
		CREATE OR REPLACE PROCEDURE send_many(n int, per int)
		LANGUAGE plpgsql AS \$\$
		DECLARE seats seat[]; s seat;
		BEGIN
			SELECT array_agg(seat) INTO seats FROM seat;
			FOR i IN 1..n LOOP
				s := seats[1 + (i * 7) % array_length(seats, 1)];
				PERFORM chemchat.send_message(s.sender, s.conversation,
					gen_random_uuid(), 'message ' || i);
				IF i % per = 0 THEN
					COMMIT;
				END IF;
			END LOOP;
		END \$\$;
		CALL send_many($count, $per)});
	return;
}

# Messages at a rate until load_end, which tells how many transactions worked.
sub load_start
{
	my ($node, $rate, %options) = @_;
	my $file = "${PostgreSQL::Test::Utils::tmp_check}/load.sql";
	open(my $out, '>', $file) or croak "$file: $!";
	print $out <<'SQL';
\set no random(1, :seats)
\set long random(1, 400)
SELECT ev FROM seat, chemchat.send_message(sender, conversation,
	gen_random_uuid(), repeat('chemistry ', :long)) WHERE no = :no;
SQL
	close $out;
	my $seats = $node->safe_psql('postgres', 'SELECT count(*) FROM seat');
	my $log = "${PostgreSQL::Test::Utils::log_path}/load.log";
	my @command = ('pgbench', '--no-vacuum', '--client', $options{clients} // 4,
		'--rate', $rate, '--time', 3600, '--file', $file, '--define',
		"seats=$seats", '--host', $node->host, '--port', $node->port, 'postgres');
	my $pid = fork // croak "fork: $!";
	if ($pid == 0)
	{
		open STDOUT, '>>', $log or POSIX::_exit(127);
		open STDERR, '>&', \*STDOUT;
		{ exec { $command[0] } @command };
		POSIX::_exit(127);
	}
	push @children, $pid;
	return { pid => $pid };
}

sub load_end
{
	my ($load) = @_;
	kill INT => $load->{pid};
	waitpid $load->{pid}, 0;
	@children = grep { $_ != $load->{pid} } @children;
	return;
}

sub rss_peak_kb
{
	my ($pid) = @_;
	return slurp_file("/proc/$pid/status") =~ /^VmHWM:\s+(\d+) kB/m ? $1 : 0;
}

# --- the oracle

# murmur2 of Apache Kafka's Java client, 32 bits, seed 0x9747b28c.
sub java_murmur2
{
	my ($key) = @_;
	use integer;
	my $mask = 0xffffffff;
	my $m = 0x5bd1e995;
	my $len = length $key;
	my $h = (0x9747b28c ^ $len) & $mask;
	my @byte = unpack 'C*', $key;
	my $at = 0;
	for (; $at + 4 <= $len; $at += 4)
	{
		my $k = $byte[$at] | $byte[ $at + 1 ] << 8 | $byte[ $at + 2 ] << 16
		  | $byte[ $at + 3 ] << 24;
		$k = ($k * $m) & $mask;
		$k ^= ($k & $mask) >> 24;
		$k = ($k * $m) & $mask;
		$h = ($h * $m) & $mask;
		$h ^= $k;
	}
	my $rest = $len - $at;
	$h ^= $byte[ $at + 2 ] << 16 if $rest >= 3;
	$h ^= $byte[ $at + 1 ] << 8 if $rest >= 2;
	if ($rest >= 1)
	{
		$h ^= $byte[$at];
		$h = ($h * $m) & $mask;
	}
	$h ^= $h >> 13;
	$h = ($h * $m) & $mask;
	$h ^= $h >> 15;
	return $h;
}

sub java_partition
{
	my ($key, $count) = @_;
	return (java_murmur2($key) & 0x7fffffff) % $count;
}

# All records of a topic, per partition in order.
sub read_topic
{
	my ($kafka, $topic) = @_;
	open(my $in, '-|', 'kcat', '-b', $kafka->{address}, '-C', '-e', '-q', '-t',
		$topic, '-o', 'beginning', '-X', 'fetch.wait.max.ms=50', '-f',
		'%p\t%o\t%k\t%h\t%s\n') or croak "kcat: $!";
	my @records;
	while (my $line = <$in>)
	{
		chomp $line;
		my ($partition, $offset, $key, $headers, $value) = split /\t/, $line, 5;
		my %header = map { /^([^=]+)=(.*)$/s ? ($1, $2) : () } split /,/, $headers;
		push @records, { partition => $partition, offset => $offset, key => $key,
			header => \%header, value => $value };
	}
	close $in;
	# kcat mixes partitions, each in its own order
	return [ sort { $a->{partition} <=> $b->{partition}
			|| $a->{offset} <=> $b->{offset} } @records ];
}

my $uuid = qr/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/;

# A field of the event's flat JSON; the first of its name, as ours come first.
sub field
{
	my ($json, $name) = @_;
	return $json =~ /"$name":(?:"((?:[^"\\]|\\.)*)"|(\d+))/ ? $1 // $2 : undef;
}

# What is wrong with one record's headers, or undef.
sub header_fault
{
	my ($record, $system_id) = @_;
	my ($h, $v) = @{$record}{qw(header value)};
	my $kind = field($v, 'kind') // '';
	my $id = $kind eq 'member' ? field($v, 'userId') : field($v, 'id');
	my $scope = $kind eq 'user' ? $id
	  : $kind eq 'conversation' ? $id : field($v, 'conversationId');
	my $rev = field($v, 'rev');
	my $ce_id = $kind eq 'member' ? "member:$scope/$id:$rev" : "$kind:$id:$rev";
	my %expected = (
		'content-type' => 'application/json',
		ce_specversion => '1.0',
		ce_id => $ce_id,
		ce_source => "/chemchat/$system_id",
		ce_type => "chemchat.$kind",
		ce_subject => $id,
		ce_rev => $rev,
		($kind ne 'user' ? (ce_ev => field($v, 'ev')) : ()),
		($kind eq 'message' ? (ce_seq => field($v, 'seq')) : ()));
	foreach my $name (sort keys %expected)
	{
		return "$name is " . ($h->{$name} // 'missing') . ", not $expected{$name}"
		  if ($h->{$name} // '') ne $expected{$name};
	}
	return 'ce_time' if $h->{ce_time} !~ /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/;
	return 'ce_position'
	  if $h->{ce_position} !~ m{^$system_id:\d+:[0-9A-F]+/[0-9A-F]+:\d+$};
	return 'ce_replay' if ($h->{ce_replay} // '1') ne '1';
	my %known = map { $_ => 1 } keys %expected, qw(ce_time ce_position ce_replay
	  traceparent);
	my @more = grep { !$known{$_} } keys %$h;
	return "unknown headers @more" if @more;
	return 'key' if $record->{key} ne $scope;
	return;
}

# Judges the whole of Kafka against the database.  A hash: records, lost,
# gaps, doubles, misplaced, bad (a list of texts), and per kind how many
# different events there are.
sub judge
{
	my ($node, $kafka, %options) = @_;
	my $database = $options{database} // 'postgres';
	my $partitions = $options{partitions} // 12;
	my ($system_id) = $node->safe_psql($database,
		'SELECT system_id FROM chemchat.position()');
	my %result = (records => 0, lost => 0, gaps => 0, doubles => 0,
		misplaced => 0, replays => 0, bad => []);
	my (%seen, %last, %kind, %rev);

	foreach my $record (@{ read_topic($kafka, 'chat.messages.v1') })
	{
		my $source = $record->{header}{ce_source} // '';
		next if $options{only_own} && $source ne "/chemchat/$system_id";
		$result{records}++;
		my $fault = header_fault($record, $system_id);
		push @{ $result{bad} },
		  "$record->{partition}:$record->{offset}: $fault" if $fault;
		$result{misplaced}++ if $record->{partition}
		  != java_partition($record->{key}, $partitions);

		my ($key, $ev, $id) = ($record->{key}, @{ $record->{header} }{qw(ce_ev ce_id)});
		my ($entity, $rev) = $id =~ /^(.*):(\d+)$/;
		$rev{$entity} = $rev if ($rev{$entity} // 0) < $rev;
		$kind{ $record->{header}{ce_type} }{$id} = 1;
		if ($record->{header}{ce_replay})
		{
			# the history before the first relay comes as replays, dense too
			$last{$key} = $ev if $ev == ($last{$key} // 0) + 1;
			$result{replays}++;
			next;
		}
		# dense from the first seen after a repair, from 1 without one
		my $last = $last{$key} // ($options{repaired} ? $ev - 1 : 0);
		if ($ev <= $last)
		{
			$result{doubles}++;
			next;
		}
		if ($ev != $last + 1 && !$options{repaired})
		{
			$result{gaps}++;
			push @{ $result{bad} }, "$key: ev $ev follows $last";
		}
		$last{$key} = $ev;
	}

	foreach my $row (split /\n/, $node->safe_psql($database, q{
		SELECT 'message:' || id, rev FROM chemchat.message
		 UNION ALL
		SELECT 'conversation:' || id, rev FROM chemchat.conversation
		 UNION ALL
		SELECT 'member:' || conversation_id || '/' || user_id, rev
		  FROM chemchat.member}))
	{
		my ($entity, $rev) = split /\|/, $row;
		next if ($rev{$entity} // -1) == $rev;
		$result{lost}++;
		push @{ $result{bad} }, "$entity:$rev is not in Kafka"
		  if @{ $result{bad} } < 20;
	}
	my ($messages) = $node->safe_psql($database,
		'SELECT count(*) FROM chemchat.message');
	$result{messages} = $messages;
	$result{"kind_$_"} = scalar keys %{ $kind{"chemchat.$_"} // {} }
	  foreach qw(message conversation member);
	return \%result;
}

# The judgement as tests: Z of FAULTS.md.
sub is_whole
{
	my ($node, $kafka, $what, %options) = @_;
	my $result = judge($node, $kafka, %options);
	my $good = $result->{lost} == 0 && $result->{gaps} == 0
	  && $result->{misplaced} == 0 && @{ $result->{bad} } == 0
	  && $result->{kind_message} >= $result->{messages};
	Test::More::ok($good, "$what: nothing lost, no hole, no reorder");
	Test::More::diag(explain_result($result)) if !$good;
	Test::More::note(explain_result($result));
	return $result;
}

sub explain_result
{
	my ($result) = @_;
	my @bad = @{ $result->{bad} };
	splice @bad, 10 if @bad > 10;
	return join(' ', map { "$_=$result->{$_}" } grep { $_ ne 'bad' }
		  sort keys %$result) . join('', map { "\n  $_" } @bad);
}

1;
