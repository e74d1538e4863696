# S6, S8: the relay is killed at each point where it has done one half of
# something; the next one goes on, nothing is lost, no hole, no reorder.
use strict;
use warnings FATAL => 'all';
use Test::More;
use Time::HiRes qw(sleep time);
use ChemChat;
use ChemChatKafka;

my $node = start_server('killed', 'wal_sender_timeout = 5s');
my $kafka = kafka_start();
make_conversations($node, 64);

# the first start makes slot and topics and republishes what was there
my $relay = relay_start($node, $kafka);
relay_is_streaming($relay);
relay_wait_drained($node);
relay_stop($relay);
my $row = stream_row($node, 'is_repaired');
is($row, 't', 'the first start is over');

my $load = load_start($node, 300);
my %count = (
	after_receive => 200,
	after_produce => 200,
	before_ack => 200,
	after_ack => 200,
	before_report => 2,
	after_report => 2,
	before_feedback => 3,
	after_feedback => 3);
foreach my $point (sort keys %count)
{
	$relay = relay_start($node, $kafka, kill_at => "$point:$count{$point}");
	is(relay_end($relay), 'signal 9', "killed at $point");

	my $began = time;
	$relay = relay_start($node, $kafka);
	relay_is_streaming($relay);
	my $took = time - $began;
	cmp_ok($took, '<', 2, "streaming again after $point");
	note(sprintf 'streaming again after %.2f s', $took);
	sleep 0.5;
	is(relay_stop($relay), 'exit 0', 'drained');
}
load_end($load);

$relay = relay_start($node, $kafka);
relay_is_streaming($relay);
relay_wait_drained($node);
is_whole($node, $kafka, 'after every kill');
relay_stop($relay);

# a repair that is killed after each part goes on where it was
send_many($node, 4000, 100);
$node->safe_psql('postgres',
	"SELECT pg_drop_replication_slot('" . slot_of($node) . "')");
foreach (1 .. 3)
{
	$relay = relay_start($node, $kafka, kill_at => 'during_repair:2');
	is(relay_end($relay), 'signal 9', 'killed while it republishes');
	is(stream_row($node, 'is_repaired'), 'f', 'the repair is on record as open');
}
$relay = relay_start($node, $kafka);
relay_is_streaming($relay);
relay_wait_drained($node);
like(relay_log($relay), qr/a repair was interrupted/, 'it was resumed');
is_whole($node, $kafka, 'after a repair killed three times', repaired => 1);
is(relay_stop($relay), 'exit 0', 'drained');

done_testing();
