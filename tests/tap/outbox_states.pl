# outbox_status() names what is wrong with a slot: streaming, idle, lost,
# missing; and only those may ask who should.
use strict;
use warnings FATAL => 'all';
use Test::More;
use ChemChat;

my $node = start_server('states', 'min_wal_size = 32MB', 'max_wal_size = 32MB',
	'max_slot_wal_keep_size = 16MB');

sub status
{
	return $node->safe_psql('postgres', q{
		SELECT slot, sink, state, events, bytes IS NULL, oldest_age IS NULL,
			   is_estimate
		  FROM chemchat.outbox_status()});
}

my $kafka = $node->safe_psql('postgres', 'SELECT chemchat.slot_name()');
my $live = $node->safe_psql('postgres', 'SELECT chemchat.live_slot_name()');

is(status(), "$kafka|kafka|missing||t|t|",
	'without any slot the first one is missing');
my ($out, $err);
$node->psql('postgres', 'SELECT * FROM chemchat.outbox()', stderr => \$err);
like($err, qr/NOTICE:  this database has no slot: no event is kept/,
	'outbox() says that there is none');

$node->safe_psql('postgres', qq{
	SELECT pg_create_logical_replication_slot('$kafka', 'chemchat');
	SELECT pg_create_logical_replication_slot('$live', 'chemchat');
	SELECT pg_create_logical_replication_slot('debug', 'chemchat');
	SELECT pg_create_logical_replication_slot('chemchat_1_0of1', 'pgoutput')});
is(status(), "$kafka|kafka|idle|0|f|t|f\n$live|live|idle|0|f|t|f",
	'ours are idle, others are not listed');
$node->safe_psql('postgres', 'SELECT emit(1); SELECT emit(2, is_replay => true)');
is(status(), "$kafka|kafka|idle|2|f|f|f\n$live|live|idle|1|f|f|f",
	'the live slot passes over replays');
is($node->safe_psql('postgres', q{SELECT count(*) FROM chemchat.outbox('debug')}),
	'2', 'any slot of the plugin can be listed by name');
is($node->safe_psql('postgres', q{SELECT count(*) FROM chemchat.outbox(max_rows => 1)}),
	'2', 'without a name each of ours is, up to max_rows');
is($node->safe_psql('postgres', q{SELECT count(*) FROM chemchat.outbox(max_rows => 0)}),
	'0', 'max_rows may be 0');

# --- streaming
my ($stream, $receiver) = stream($node, $kafka);
read_frames($stream, sub { return $_[1][0]{ev} == 2 });
walsender_pid($node, $kafka);
# the receiver confirms on the server's next keepalive
wait_until('everything is confirmed', sub {
	return status() =~ /^\Q$kafka\E\|kafka\|streaming\|0\|/ });
pass('the slot streams, and nothing is pending once it is confirmed');
kill 'INT', $receiver;
close $stream;
wait_until('the slot is idle again', sub { status() =~ /^\Q$kafka\E\|kafka\|idle/ });

# --- a slot that was there once
$node->safe_psql('postgres', qq{
	SELECT chemchat.report_stream('$kafka', '1', 1, 1, '{}', '0/1', 0, NULL, true);
	SELECT chemchat.report_stream('$live', '1', 1, 1, '{}', '0/1', 0, NULL, true);
	SELECT pg_drop_replication_slot('$live')});
like(status(), qr/^\Q$kafka|kafka|idle|0|f|t|f\E\n\Q$live|live|missing||t|t|\E$/,
	'a slot that was dropped is missing');

# --- lost
$node->safe_psql('postgres', q{
	SELECT emit(3);
	CREATE TABLE filler AS SELECT n, repeat('x', 1000) FROM generate_series(1, 50000) AS n;
	SELECT pg_switch_wal();
	CHECKPOINT});
wait_until('the slot is lost', sub {
	$node->safe_psql('postgres', 'CHECKPOINT');
	status() =~ /^\Q$kafka|kafka|lost||t|t|\E$/m });
pass('a slot whose WAL is gone is lost');
my $code = $node->psql('postgres', q{SELECT * FROM chemchat.outbox()},
	stdout => \$out, stderr => \$err);
is("$code $out", '0 ', 'listing goes on without it');
like($err, qr/WARNING:  slot "\Q$kafka\E" has lost its WAL/, 'with a warning');

# --- WAL that went away while it was read
$code = $node->psql('postgres', q{
	SELECT * FROM chemchat._wal_list('x', '0/1000028', '0/1000028', 10)},
	stderr => \$err, on_error_stop => 1);
like($err, qr/ERROR:  could not open WAL file .*: No such file or directory/,
	'removed WAL is an error of its own');
is($node->safe_psql('postgres', q{
	DO $$ BEGIN
		PERFORM chemchat._wal_list('x', '0/1000028', '0/1000028', 10);
	EXCEPTION WHEN undefined_file THEN NULL;
	END $$; SELECT 'caught'}), 'caught', 'with an SQLSTATE to catch');

# --- roles
$node->safe_psql('postgres', q{
	CREATE ROLE stranger LOGIN;
	CREATE ROLE reader LOGIN IN ROLE chemchat_reader;
	CREATE ROLE admin LOGIN IN ROLE chemchat_admin});
foreach my $case (
	[ 'stranger', 'outbox_status()', 0 ], [ 'stranger', 'outbox()', 0 ],
	[ 'reader', 'outbox_status()', 1 ], [ 'reader', 'outbox()', 0 ],
	[ 'admin', 'outbox_status()', 1 ], [ 'admin', 'outbox()', 1 ],
	[ 'admin', '_outbox_slots()', 0 ])
{
	my ($role, $call, $may) = @$case;
	my $done = $node->psql('postgres', "SELECT count(*) FROM chemchat.$call",
		extra_params => [ '-U', $role ], stderr => \$err);
	is($done == 0 ? 1 : 0, $may, "$role " . ($may ? 'may' : 'may not') . " ask $call");
}

$node->stop;
done_testing();
