# S6, S15: history from before the first relay, a slot dropped, dropped and
# made again, lost, advanced by hand; a dump restored elsewhere; a server that
# went back in time.  Repair, or a named stop; never silence.
use strict;
use warnings FATAL => 'all';
use Test::More;
use Time::HiRes qw(sleep time);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use ChemChat;
use ChemChatKafka;

my $node = start_server('origin', 'min_wal_size = 32MB',
	'max_wal_size = 64MB', 'wal_keep_size = 0');
my $kafka = kafka_start();

# --- 1,000 messages before any relay ever ran
make_conversations($node, 20);
send_many($node, 1000);
my $relay = relay_start($node, $kafka);
relay_is_streaming($relay);
relay_wait_drained($node);
my $result = is_whole($node, $kafka, 'history older than the first relay');
is($result->{kind_message}, 1000, 'a thousand records of type message');
is($result->{kind_conversation}, 20, 'conversations beside them');
is($result->{kind_member}, 80, 'and members');
is($result->{replays}, $result->{records}, 'all marked as replays');

my %users = map { $_->{header}{ce_id} => 1 } @{ read_topic($kafka, 'chat.users.v1') };
is(scalar keys %users, 4, 'users in their own topic');
my @compacted = @{ read_topic($kafka, 'chat.conversations.v1') };
is(scalar @compacted, 20, 'conversations in the compacted topic');
like(kafka_tool($kafka, 'TopicCommand', '--describe', '--topic',
		'chat.conversations.v1'), qr/cleanup\.policy=compact/, 'which is compacted');
like(kafka_tool($kafka, 'TopicCommand', '--describe', '--topic',
		'chat.messages.v1'), qr/retention\.ms=-1/, 'messages are kept for ever');

my $slot = slot_of($node);

# Stops the relay, does something to the slot, sends, and expects a repair.
sub expect_repair
{
	my ($what, $reason, $code) = @_;
	is(relay_stop($relay), 'exit 0', 'drained');
	$code->();
	$relay = relay_start($node, $kafka);
	relay_is_streaming($relay);
	send_many($node, 50, 5);
	relay_wait_drained($node);
	like(relay_log($relay), qr/msg="repairing".*$reason/, "$what: noticed");
	is_whole($node, $kafka, $what, repaired => 1);
	return;
}

expect_repair('slot dropped', 'the slot is gone', sub {
	send_many($node, 100, 5);
	$node->safe_psql('postgres', "SELECT pg_drop_replication_slot('$slot')");
	send_many($node, 100, 5);
});

expect_repair('slot dropped and made again by hand', 'made again or advanced', sub {
	send_many($node, 100, 5);
	$node->safe_psql('postgres', "SELECT pg_drop_replication_slot('$slot')");
	send_many($node, 100, 5);
	$node->safe_psql('postgres',
		"SELECT pg_create_logical_replication_slot('$slot', 'chemchat')");
	send_many($node, 100, 5);
});

expect_repair('slot advanced by hand', 'made again or advanced', sub {
	send_many($node, 100, 5);
	$node->safe_psql('postgres',
		"SELECT pg_replication_slot_advance('$slot', pg_current_wal_lsn())");
});

$node->append_conf('postgresql.conf', 'max_slot_wal_keep_size = 32MB');
$node->reload;
expect_repair('slot that lost its WAL', 'lost its WAL', sub {
	send_many($node, 100, 5);
	$node->safe_psql('postgres', 'CREATE TABLE filler (t text)');
	foreach (1 .. 12)
	{
		$node->safe_psql('postgres', q{
			INSERT INTO filler SELECT repeat(md5(i::text), 100)
			  FROM generate_series(1, 3000) AS i;
			SELECT pg_switch_wal(); CHECKPOINT});
	}
	is($node->safe_psql('postgres', "SELECT wal_status FROM pg_replication_slots
		WHERE slot_name = '$slot'"), 'lost', 'the slot is lost');
});

# --- the slot is dropped under the running relay
$node->safe_psql('postgres', qq{
	SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots
	 WHERE slot_name = '$slot'});
wait_until('the slot can be dropped', sub {
	return $node->psql('postgres', "SELECT pg_drop_replication_slot('$slot')") == 0;
}, 10);
send_many($node, 100, 5);
relay_wait_drained($node);
is_whole($node, $kafka, 'slot dropped under the running relay', repaired => 1);

# --- making a slot waits for an open transaction: it is named
is(relay_stop($relay), 'exit 0', 'drained');
$node->safe_psql('postgres', "SELECT pg_drop_replication_slot('$slot')");
my $idle = $node->background_psql('postgres');
$idle->query_safe('BEGIN; INSERT INTO filler VALUES (1)');
my ($idle_pid) = $idle->query_safe('SELECT pg_backend_pid()') =~ /(\d+)/;
$relay = relay_start($node, $kafka);
wait_until('the blocking pid is told',
	sub { relay_log($relay) =~ /blocking_pids="$idle_pid"/ }, 20);
pass('who blocks the making of the slot is told');
$idle->query_safe('COMMIT');
$idle->quit;
relay_is_streaming($relay);
relay_wait_drained($node);
is_whole($node, $kafka, 'slot made after the wait', repaired => 1);

# --- the disk goes back in time on the same timeline
my $backup = 'earlier';
is(relay_stop($relay), 'exit 0', 'drained');
$node->stop;
$node->backup_fs_cold($backup);
$node->start;
$relay = relay_start($node, $kafka);
relay_is_streaming($relay);
send_many($node, 200, 5);
relay_wait_drained($node);
is(relay_stop($relay), 'exit 0', 'drained');
$node->stop;
my $past = PostgreSQL::Test::Cluster->new('past');
$past->init_from_backup($node, $backup);
$past->start;
$relay = relay_start($past, $kafka, name => 'past');
is(relay_end($relay), 'exit 80', 'a server from the past stops the relay');
like(relay_log($relay), qr/stop=AHEAD_OF_DATABASE/, 'by name');
$past->stop;
$node->start;

# --- dump and restore into another server: everything again, a new history
my $dump = "${PostgreSQL::Test::Utils::tmp_check}/dump.sql";
command_ok([ 'pg_dump', '--file', $dump, $node->connstr('postgres') ], 'dumped');
my $restored = PostgreSQL::Test::Cluster->new('restored');
$restored->init(allows_streaming => 'logical');
$restored->append_conf('postgresql.conf',
	slurp_file($node->data_dir . '/postgresql.conf') =~ /^(output_plugin_libraries.*)$/m
	? $1 : '');
$restored->start;
$restored->safe_psql('postgres', 'CREATE DATABASE chat');
command_ok([ 'psql', '--quiet', '--no-psqlrc', '--output', '/dev/null',
		'--set', 'ON_ERROR_STOP=1', '--file', $dump, $restored->connstr('chat') ],
	'restored');
$relay = relay_start($restored, $kafka, name => 'restored', database => 'chat');
relay_is_streaming($relay);
wait_until('the history is republished', sub {
	relay_log($relay) =~ /history republished/
	  && $restored->safe_psql('chat', 'SELECT bool_and(events = 0)
		  FROM chemchat.outbox_status()') eq 't'
});
is_whole($restored, $kafka, 'a restored dump', repaired => 1, only_own => 1,
	database => 'chat');
is(relay_stop($relay), 'exit 0', 'drained');

done_testing();
