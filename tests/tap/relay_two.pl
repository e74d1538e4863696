# S14: two relays, one slot.  Exactly one streams; the other takes over when it
# is killed or frozen; what wakes up late may double, never lose or reorder.
use strict;
use warnings FATAL => 'all';
use Test::More;
use Time::HiRes qw(sleep time);
use PostgreSQL::Test::Utils;
use ChemChat;
use ChemChatKafka;

my $node = start_server('two', 'wal_sender_timeout = 5s');
my $kafka = kafka_start();
make_conversations($node, 64);
my $first = relay_start($node, $kafka, name => 'first');
relay_is_streaming($first);
relay_wait_drained($node);
my $second = relay_start($node, $kafka, name => 'second');
wait_until('the second stands by',
	sub { relay_log($second) =~ /standing by/ }, 20);
is(relay_metric($second, 'chemchat_relay_is_streaming'), 0, 'it does not stream');
wait_until('standing by is being ready',
	sub { relay_metric($second, 'chemchat_ready') }, 10);

sub walsender
{
	return $node->safe_psql('postgres', q{
		SELECT coalesce(max(active_pid), 0) FROM pg_replication_slots});
}

# How long until a walsender that is not the old one has the slot.
sub take_over
{
	my ($old, $since) = @_;
	wait_until('the other one streams', sub {
		my $now = walsender();
		return $now != 0 && $now != $old;
	}, 20);
	return time - $since;
}

my $load = load_start($node, 300);
sleep 1;

# --- killed
my ($leader, $standby) = ($first, $second);
foreach my $round (1 .. 3)
{
	my $old = walsender();
	my $began = time;
	relay_signal($leader, 'KILL');
	my $took = take_over($old, $began);
	# a second of the machine's load is not the relay's
	cmp_ok($took, '<', 2, "round $round: taken over from the killed one");
	note sprintf 'taken over after %.2f s', $took;
	is(relay_end($leader), 'signal 9', 'killed');
	my $name = $leader->{name};
	$leader = $standby;
	$standby = relay_start($node, $kafka, name => $name);
	sleep 1;
}

# --- frozen, and thawed when the other one has long gone on
my $old = walsender();
my $began = time;
relay_signal($leader, 'STOP');
my $took = take_over($old, $began);
cmp_ok($took, '<', 7, 'taken over from the frozen one');
note sprintf 'taken over after %.2f s', $took;
sleep 2;
relay_signal($leader, 'CONT');
sleep 2;
is($node->safe_psql('postgres', 'SELECT count(*) FROM pg_replication_slots
	WHERE active'), 1, 'the thawed one does not stream');
wait_until('the thawed one stands by', sub {
	relay_metric($leader, 'chemchat_relay_is_streaming') == 0
}, 10);

# --- asked to stop: hands over
$old = walsender();
$began = time;
is(relay_stop($standby), 'exit 0', 'the new leader stops');
$took = take_over($old, $began);
cmp_ok($took, '<', 3, 'handed over');
load_end($load);
relay_wait_drained($node);

is_whole($node, $kafka, 'leaders killed, frozen and stopped');
is($node->safe_psql('postgres', 'SELECT is_repaired FROM chemchat.stream'), 't',
	'no repair was needed');
unlike(relay_log($leader), qr/msg="repairing"/, 'nor begun by the last');
is(relay_stop($leader), 'exit 0', 'drained');

done_testing();
