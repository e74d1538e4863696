# outbox() and outbox_status() tell exactly what pg_logical_slot_peek_changes
# would deliver: under random load with rollbacks, savepoints, prepared
# transactions, replays, foreign messages and another database, with slots at
# random positions, after a crash, and in part when asked for a part.
use strict;
use warnings FATAL => 'all';
use Test::More;
use ChemChat;
use PostgreSQL::Test::Utils;

my $seed = $ENV{CHEMCHAT_TEST_SEED} // time ^ $$;
srand $seed;
diag("seed: CHEMCHAT_TEST_SEED=$seed");

# segments change often, checkpoints too
my $node = start_server('pending', 'checkpoint_timeout = 30s',
	'min_wal_size = 32MB', 'max_wal_size = 64MB');
$node->safe_psql('postgres', 'CREATE DATABASE other');
$node->safe_psql('other', emit_sql());
$node->safe_psql('postgres', 'CREATE TABLE t (n int)');

my $oid = $node->safe_psql('postgres',
	'SELECT oid FROM pg_database WHERE datname = current_database()');
my %options = (
	"chemchat_${oid}_0of1" => '',
	(map { ("chemchat_${oid}_${_}of3" => ", 'shard', '$_', 'shards', '3'") } 0 .. 2),
	"chemchat_${oid}_live" => ", 'replays', 'off'");
my @slots = sort keys %options;
$node->safe_psql('postgres',
	"SELECT pg_create_logical_replication_slot('$_', 'chemchat')") foreach @slots;

my %scripts = (
	one => [ 6, 'SELECT emit(:n);' ],
	savepoint => [ 3, q{BEGIN; SELECT emit(:n); SAVEPOINT a; SELECT emit(:n + 1);
		SAVEPOINT b; SELECT emit(:n + 2); RELEASE b; ROLLBACK TO a;
		SELECT emit(:n + 3); SAVEPOINT c; SELECT emit(:n + 4); RELEASE c; COMMIT;} ],
	rollback => [ 2, 'BEGIN; SELECT emit(:n); ROLLBACK;' ],
	long => [ 1, q{BEGIN; SELECT emit(:n); SELECT pg_sleep(random() * 0.5);
		SAVEPOINT a; SELECT emit(:n + 1); COMMIT;} ],
	replay => [ 1, q{BEGIN; SELECT emit(:n, 'again', true); SELECT emit(:n + 1); COMMIT;} ],
	rows => [ 2, 'INSERT INTO t SELECT generate_series(1, 200);' ],
	foreign => [ 2, q{BEGIN; SELECT pg_logical_emit_message(true, 'chemistry', ev(:n));
		SELECT pg_logical_emit_message(true, 'chemchat', 'no event');
		SELECT pg_logical_emit_message(false, 'chemchat', ev(:n));
		SELECT emit(:n + 1); COMMIT;} ],
	prepared => [ 1, q{BEGIN; SELECT emit(:n); PREPARE TRANSACTION 'p:client_id';
		SELECT pg_sleep(random() * 0.2); COMMIT PREPARED 'p:client_id';} ],
	unprepared => [ 1, q{BEGIN; SELECT emit(:n); PREPARE TRANSACTION 'u:client_id';
		ROLLBACK PREPARED 'u:client_id';} ]);
my @files;
foreach my $name (sort keys %scripts)
{
	my $file = "$node->{_basedir}/$name.sql";
	append_to_file($file, "\\set n random(1, 1000000)\n$scripts{$name}[1]\n");
	push @files, '-f', "$file\@$scripts{$name}[0]";
}
append_to_file("$node->{_basedir}/other.sql",
	"\\set n random(1, 1000000)\nSELECT emit(:n);\n");

# All columns of all events whose commit lies below the LSN, by both ways.
my $columns = 'commit_lsn, ordinal, kind, key, id, ev, seq, rev';
sub pending_by_outbox
{
	my ($slot, $below, $max_rows) = @_;
	return $node->safe_psql('postgres', qq{SELECT $columns, is_replay, event
		FROM chemchat.outbox('$slot', $max_rows) WHERE commit_lsn < '$below'});
}

sub pending_by_peek
{
	my ($slot, $below) = @_;
	return $node->safe_psql('postgres', qq{
		SELECT $columns, replay, event
		  FROM pg_logical_slot_peek_changes('$slot', '$below', NULL,
				'proto', '1', 'format', 'json'$options{$slot}) AS p,
			   json_to_record(p.data::json) AS e (commit_lsn pg_lsn, ordinal int,
				kind text, key uuid, id uuid, ev bigint, seq bigint, rev bigint,
				replay bool, event json)
		 WHERE commit_lsn < '$below'});
}

sub status_of
{
	my ($slot) = @_;
	return split /\|/, $node->safe_psql('postgres', qq{
		SELECT events, bytes, is_estimate FROM chemchat.outbox_status()
		 WHERE slot = '$slot'});
}

sub lines
{
	return scalar(() = $_[0] =~ /^/mg);
}

sub flushed
{
	return $node->safe_psql('postgres', 'SELECT pg_current_wal_flush_lsn()');
}

# --- under load
my $rounds = 6;
my $seconds = 3 * $rounds;
my @load = map {
	my ($database, $clients, @with) = @$_;
	my $pid = fork;
	if ($pid == 0)
	{
		exec "exec pgbench -n -c $clients -T $seconds -R 400 @with "
		  . "-h $node->{_host} -p $node->{_port} $database >/dev/null 2>&1";
	}
	$pid;
} ([ 'postgres', 6, @files ], [ 'other', 1, '-f', "$node->{_basedir}/other.sql" ]);

my ($different, $miscounted, $cut, $total) = (0) x 4;
foreach my $round (1 .. $rounds)
{
	sleep 1;
	foreach my $slot (@slots)
	{
		my $below = flushed();
		my $listed = pending_by_outbox($slot, $below, 100000);
		my ($events) = status_of($slot);
		my $later = lines(pending_by_outbox($slot, flushed(), 100000));
		my $peeked = pending_by_peek($slot, $below);
		$different++ if $listed ne $peeked;
		$total += lines($peeked);
		$miscounted++ if $events < lines($listed) || $events > $later;

		my $some = int(rand(1 + lines($listed)));
		my $part = pending_by_outbox($slot, $below, $some);
		$cut++ if lines($part) != $some || index($listed, $part) != 0;

		# on to anywhere, in the middle of whatever stands there
		$node->safe_psql('postgres', qq{
			SELECT pg_replication_slot_advance('$slot', confirmed_flush_lsn
				+ (random() * ('$below'::pg_lsn - confirmed_flush_lsn))::numeric)
			  FROM pg_replication_slots
			 WHERE slot_name = '$slot' AND confirmed_flush_lsn < '$below'}) if rand() < 0.7;
	}
}
cmp_ok($total, '>', 1000, 'there was something to compare');
is($different, 0, 'outbox() lists what the plugin will send');
is($miscounted, 0, 'outbox_status() counts it');
is($cut, 0, 'fewer rows are the first ones');
waitpid $_, 0 foreach @load;

# --- open transactions die with the server, without a trace in the WAL
my $open = fork;
if ($open == 0)
{
	exec "exec psql -qX -h $node->{_host} -p $node->{_port} postgres "
	  . q{-c "BEGIN; SELECT emit(7) FROM generate_series(1, 500); SELECT pg_sleep(60)" >/dev/null 2>&1};
}
wait_until('the open transaction waits', sub {
	$node->safe_psql('postgres', q{SELECT count(*) FROM pg_stat_activity
		WHERE query LIKE 'BEGIN; SELECT emit(7)%' AND wait_event = 'PgSleep'}) });
$node->safe_psql('postgres', 'SELECT emit(8), pg_switch_wal(); CHECKPOINT');
$node->stop('immediate');
waitpid $open, 0;
$node->start;
$node->safe_psql('postgres', 'SELECT emit(9)');
my $below = flushed();
foreach my $slot (@slots)
{
	my $listed = pending_by_outbox($slot, $below, 100000);
	my ($events, $bytes, $is_estimate) = status_of($slot);
	is($listed, pending_by_peek($slot, $below), "$slot: same after a crash");
	is("$events $is_estimate", lines($listed) . ' f', "$slot: counted exactly");
	is($bytes > 0, $events > 0, "$slot: bytes are those of the events");
}

# --- more WAL than there is to read
my $slot = "chemchat_${oid}_0of1";
$node->safe_psql('postgres', qq{
	SELECT pg_replication_slot_advance('$slot', pg_current_wal_flush_lsn());
	CHECKPOINT});
$node->safe_psql('postgres', q{DO $$ BEGIN FOR n IN 1 .. 20000 LOOP
	PERFORM emit(n, repeat('x', 300)); COMMIT; END LOOP; END $$});
sub estimate
{
	return $node->safe_psql('postgres', qq{
		SELECT c.is_estimate, c.events BETWEEN 15000 AND 25000
		  FROM pg_replication_slots AS r, chemchat._wal_count(ARRAY[slot_name],
			ARRAY[restart_lsn], ARRAY[confirmed_flush_lsn], 2000000) AS c
		 WHERE slot_name = '$slot'});
}
is(estimate(), 't|t', 'a large backlog is estimated, and says so');
is(join(' ', (status_of($slot))[0, 2]), '20000 f', 'a small one is counted');

$node->safe_psql('postgres', qq{
	SELECT pg_replication_slot_advance('$slot', pg_current_wal_flush_lsn());
	CHECKPOINT;
	DO \$\$ BEGIN
		PERFORM emit(n, repeat('x', 300)) FROM generate_series(1, 20000) AS n;
	END \$\$});
is(estimate(), 't|t', 'so is one transaction that is larger than what is read');

# --- all confirmed
$node->safe_psql('postgres',
	"SELECT pg_replication_slot_advance('$_', pg_current_wal_flush_lsn())")
  foreach @slots;
is($node->safe_psql('postgres', q{SELECT sum(events), sum(bytes),
	count(oldest_age), bool_or(is_estimate) FROM chemchat.outbox_status()}),
	'0|0|0|f', 'nothing is pending when all is confirmed');
is($node->safe_psql('postgres', 'SELECT count(*) FROM chemchat.outbox()'), '0',
	'and nothing is listed');

$node->stop;
done_testing();
