# An administrator holds a table of ours locked for a while (FAULTS, "DDL on
# the tables"): the relay waits with one ordinary connection, not with a new
# one for each attempt, goes on sending, and reports as soon as it can.
use strict;
use warnings FATAL => 'all';
use Test::More;
use Time::HiRes qw(sleep time);
use PostgreSQL::Test::Utils;
use ChemChat;
use ChemChatKafka;

my $node = start_server('locked');
my $kafka = kafka_start();
make_conversations($node, 5);
my $relay = relay_start($node, $kafka);
relay_is_streaming($relay);
relay_wait_drained($node);

my $admin = $node->background_psql('postgres');
$admin->query_safe('BEGIN; LOCK TABLE chemchat.stream');
send_many($node, 100, 5);
sleep 25;
cmp_ok($node->safe_psql('postgres', q{
	SELECT count(*) FROM pg_stat_activity
	 WHERE query LIKE '%chemchat.report_stream%' AND pid <> pg_backend_pid()}),
	'<=', 1, 'one connection waits, not one for each attempt');
is(relay_metric($relay, 'chemchat_relay_in_flight_records'), 0,
	'all was sent meanwhile');
$admin->query_safe('COMMIT');
$admin->quit;
relay_wait_drained($node, 30);
is_whole($node, $kafka, 'locked out for a while');
# --- a synchronous standby that is away: commits of the chat wait for it, what
# is committed already goes on to Kafka and is confirmed
$node->append_conf('postgresql.conf', "synchronous_standby_names = 'nobody'");
$node->reload;
sleep 1;
$node->safe_psql('postgres', q{
	SET synchronous_commit = local;
	SELECT emit(n) FROM generate_series(1, 50) AS n});
eval { relay_wait_drained($node, 20) };
is($node->safe_psql('postgres', q{SELECT events FROM chemchat.outbox_status()}),
	0, 'without the standby the outbox empties too');
is($node->safe_psql('postgres', q{
	SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'}), 0,
	'and no report waits for it');
$node->append_conf('postgresql.conf', "synchronous_standby_names = ''");
$node->reload;
is(relay_stop($relay), 'exit 0', 'and it stops as always');

done_testing();
