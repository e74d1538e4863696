# DESIGN 4, 7: large transactions, ours and others', with bounded memory and
# one connection; an idle relay keeps no WAL and writes next to nothing.
use strict;
use warnings FATAL => 'all';
use Test::More;
use Time::HiRes qw(sleep time);
use PostgreSQL::Test::Utils;
use ChemChat;
use ChemChatKafka;

my $rows = $ENV{CHEMCHAT_TEST_ROWS} // 2_000_000;
my $events = $ENV{CHEMCHAT_TEST_EVENTS} // 300_000;
my $node = start_server('large', 'wal_sender_timeout = 5s',
	'logical_decoding_work_mem = 4MB');
my $kafka = kafka_start();
make_conversations($node, 16);
my $relay = relay_start($node, $kafka);
relay_is_streaming($relay);
relay_wait_drained($node);

sub walsender
{
	return $node->safe_psql('postgres',
		'SELECT pid FROM pg_stat_replication');
}

# --- somebody else's transaction
my $pid = walsender();
$node->safe_psql('postgres', qq{
	CREATE TABLE other (n int, t text);
	INSERT INTO other SELECT i, 'row ' || i FROM generate_series(1, $rows) AS i});
send_many($node, 100, 5);
relay_wait_drained($node, 300);
is(walsender(), $pid, "one connection through $rows foreign rows");
is_whole($node, $kafka, 'foreign rows');

# --- another database's WAL is confirmed though none of it is for us
$node->safe_psql('postgres', 'CREATE DATABASE neighbour');
$node->safe_psql('neighbour', q{
	CREATE TABLE t AS SELECT repeat(md5(i::text), 30) AS t
	  FROM generate_series(1, 100000) AS i});
wait_until('the slot follows', sub {
	return $node->safe_psql('postgres', q{
		SELECT pg_current_wal_lsn() - confirmed_flush_lsn < 1000000
		  FROM pg_replication_slots}) eq 't';
}, 60);
pass('an idle slot keeps no WAL of a neighbour');

# --- an idle relay does not talk to itself
my $before = $node->safe_psql('postgres',
	q{SELECT pg_current_wal_insert_lsn() - '0/0'});
sleep 12;
my $after = $node->safe_psql('postgres',
	q{SELECT pg_current_wal_insert_lsn() - '0/0'});
cmp_ok($after - $before, '<', 20000, 'an idle relay writes next to nothing');
note $after - $before, ' bytes of WAL in 12 s';

# --- one transaction of our own
$pid = walsender();
my $old = relay_metric($relay, 'chemchat_relay_events_total');
$node->safe_psql('postgres', "SELECT count(emit(n)) FROM generate_series(1, $events) AS n");
wait_until('all of it is through', sub {
	relay_metric($relay, 'chemchat_relay_events_total') - $old >= $events
	  && relay_metric($relay, 'chemchat_relay_in_flight_records') == 0
}, 300);
cmp_ok(rss_peak_kb($relay->{pid}), '<', 64 * 1024,
	"memory stays bounded over a transaction of $events events");
note 'peak RSS ' . rss_peak_kb($relay->{pid}) . ' kB';
is(walsender(), $pid, 'one connection');
is(relay_stop($relay), 'exit 0', 'drained');

done_testing();
