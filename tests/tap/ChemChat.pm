# ChemChat - a server with our extension, and the plugin's stream
#
# The frame reader here is written from the text of common/wire/frame.h, on
# purpose without a look at the C: two readings of one contract.
package ChemChat;

use strict;
use warnings FATAL => 'all';
use Carp;
use Exporter 'import';
use IPC::Run ();
use Time::HiRes qw(sleep time);

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;

our @EXPORT = qw(start_server emit_sql wait_until stream read_frames
  walsender_pid rss_anon_kb cpu_seconds);

# A started server with the extension in database postgres.  Further lines of
# configuration may follow.
sub start_server
{
	my ($name, @conf) = @_;
	my $node = PostgreSQL::Test::Cluster->new($name);
	$node->init(allows_streaming => 'logical');
	$node->append_conf('postgresql.conf', join("\n",
		# an older minor release does not know the setting
		(knows_plugin_libraries() ? (
			"output_plugin_libraries = 'pgoutput, test_decoding, chemchat'") : ()),
		'fsync = off', 'max_wal_size = 4GB', 'autovacuum = off',
		'max_prepared_transactions = 10', @conf) . "\n");
	$node->start;
	$node->safe_psql('postgres', 'CREATE EXTENSION chemchat');
	$node->safe_psql('postgres', emit_sql());
	return $node;
}

sub knows_plugin_libraries
{
	my ($out) = run_command([ 'postgres', '--describe-config' ]);
	return $out =~ /^output_plugin_libraries\t/m;
}

# ev(n, body, is_replay): the record of a message event, put together by hand
# as common/wire/event.h says; emit(n, ...) writes it.  97 keys.
sub emit_sql
{
	return <<'SQL';
CREATE FUNCTION ev(n bigint, body text DEFAULT 'hi', is_replay bool DEFAULT false)
RETURNS bytea LANGUAGE sql IMMUTABLE AS $$
	SELECT '\x01'::bytea || 'm'::bytea
		|| CASE WHEN is_replay THEN '\x01'::bytea ELSE '\x00'::bytea END
		|| '\x00'::bytea || uuid_send(md5('c' || n % 97)::uuid)
		|| uuid_send(md5('m' || n)::uuid) || int8send(n) || int8send(n)
		|| int8send(1) || int8send(1700000000000000 + n)
		|| int4send(octet_length(j)) || convert_to(j, 'UTF8')
	  FROM (SELECT format('{"n":%s,"body":%s}', n, to_json(body))) AS x (j)
$$;
CREATE FUNCTION emit(n bigint, body text DEFAULT 'hi', is_replay bool DEFAULT false)
RETURNS void LANGUAGE sql AS $$
	SELECT pg_logical_emit_message(true, 'chemchat', ev(n, body, is_replay))
$$;
SQL
}

# Waits for the code to return true; dies after a while.
sub wait_until
{
	my ($what, $code, $seconds) = @_;
	my $end = time + ($seconds // 120);
	while (!$code->())
	{
		croak "waited in vain until $what" if time > $end;
		sleep 0.05;
	}
	return 1;
}

# Starts pg_recvlogical on a slot: a file handle with what it prints, and its
# pid.  Options of the plugin follow as name => value.
sub stream
{
	my ($node, $slot, %options) = @_;
	my $extra = delete $options{args} // [];
	my @command = ('pg_recvlogical', '--dbname', $node->connstr('postgres'),
		'--slot', $slot, '--start', '--no-loop', '--file', '-',
		'--status-interval', '1', '--fsync-interval', '0', @$extra);
	%options = (proto => 1, %options);
	push @command, '--option', "$_=$options{$_}" foreach sort keys %options;
	my $pid = open(my $out, '-|', @command) or croak "pg_recvlogical: $!";
	binmode $out;
	return ($out, $pid);
}

# Reads frames from the stream of pg_recvlogical (each ends with a newline)
# and calls the code with each frame and its events, until it returns true.
sub read_frames
{
	my ($out, $code) = @_;
	while (1)
	{
		my $head = take($out, 32);
		my ($magic, $version, $flags, $zero, $count, $commit, $end, $time) =
		  unpack 'CCCCNQ>Q>q>', $head;
		die "not a frame" if $magic != 0xC5 || $version != 1 || $zero != 0;
		my @events;
		my $bytes = 32;
		foreach (1 .. $count)
		{
			my ($ordinal, $len) = unpack 'NN', take($out, 8);
			my $record = take($out, $len);
			my ($v, $kind, $replay, $trace, $key, $id, $ev, $seq, $rev, $us,
				$json_len) = unpack 'CaCCa16a16Q>Q>Q>q>N', $record;
			die "not an event" if $v != 1 || 72 + $trace + $json_len != $len;
			push @events, { ordinal => $ordinal, kind => $kind,
				is_replay => $replay, ev => $ev, seq => $seq, rev => $rev,
				json => substr($record, 72 + $trace) };
			$bytes += 8 + $len;
		}
		die "no newline behind a frame" if take($out, 1) ne "\n";
		return if $code->({ is_first => $flags & 1, is_last => ($flags & 2) >> 1,
				count => $count, commit_lsn => $commit, end_lsn => $end,
				commit_us => $time, bytes => $bytes }, \@events);
	}
}

sub take
{
	my ($out, $wanted) = @_;
	my $data = '';
	while (length $data < $wanted)
	{
		my $n = read $out, $data, $wanted - length $data, length $data;
		die "the stream ended" if !$n;
	}
	return $data;
}

# The pid of the walsender that streams a slot; waits for it.
sub walsender_pid
{
	my ($node, $slot) = @_;
	my $pid;
	wait_until("slot $slot streams", sub {
		$pid = $node->safe_psql('postgres',
			"SELECT active_pid FROM pg_replication_slots WHERE slot_name = '$slot'");
		return $pid;
	});
	return $pid;
}

# Memory of a process's own, without shared buffers; 0 when it is gone.
sub rss_anon_kb
{
	my ($pid) = @_;
	open(my $status, '<', "/proc/$pid/status") or return 0;
	my $text = do { local $/; <$status> } // '';
	return $text =~ /^RssAnon:\s+(\d+) kB/m ? $1 : 0;
}

sub cpu_seconds
{
	my ($pid) = @_;
	open(my $stat, '<', "/proc/$pid/stat") or return 0;
	my $line = <$stat>;
	$line =~ s/^.*\) //;
	my @field = split / /, $line;
	return ($field[11] + $field[12]) / 100;
}

1;
