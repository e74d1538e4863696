# What the ends of the topics tell a relay that starts: a topic that is rightly
# empty, one whose records were all removed by retention, one that was made
# again while nobody looked; and what it does while Kafka is deaf.
use strict;
use warnings FATAL => 'all';
use Test::More;
use Time::HiRes qw(sleep time);
use PostgreSQL::Test::Utils;
use ChemChat;
use ChemChatKafka;

my $node = start_server('ends');
my $kafka = kafka_start();

# --- users alone: nothing ever went to chat.messages.v1
$node->safe_psql('postgres', q{SELECT chemchat.create_user('lone')});
my $relay = relay_start($node, $kafka);
relay_is_streaming($relay);
$node->safe_psql('postgres', q{SELECT chemchat.create_user('another')});
relay_wait_drained($node);
is(relay_stop($relay), 'exit 0', 'two users were sent');
$relay = relay_start($node, $kafka);
eval { relay_is_streaming($relay, 30) };
unlike(relay_log($relay), qr/stop=/,
	'a topic that has no record because there is no conversation stops nobody');

# --- every record removed, as retention does to a quiet partition
make_conversations($node, 20);
send_many($node, 100, 5);
relay_wait_drained($node);
relay_stop($relay);
my $list = "${PostgreSQL::Test::Utils::tmp_check}/removed.json";
open(my $out, '>', $list) or die "$list: $!";
print $out '{"version":1,"partitions":[',
  join(',', map { qq({"topic":"chat.messages.v1","partition":$_,"offset":-1}) }
	  0 .. 11), ']}';
close $out;
like(kafka_tool($kafka, 'DeleteRecordsCommand', '--offset-json-file', $list),
	qr/low_watermark/, 'all records of chat.messages.v1 are removed');
$relay = relay_start($node, $kafka);
eval { relay_is_streaming($relay, 30) };
is(relay_metric($relay, 'chemchat_relay_is_streaming'), 1,
	'the relay goes on at the end of what is gone');
relay_wait_drained($node) if relay_metric($relay, 'chemchat_relay_is_streaming');
relay_stop($relay);

# --- a state topic made again, empty, while nobody looked
foreach my $topic ('chat.users.v1', 'chat.conversations.v1')
{
	kafka_tool($kafka, 'TopicCommand', '--delete', '--topic', $topic);
	kafka_tool($kafka, 'TopicCommand', '--create', '--topic', $topic,
		'--partitions', '12');
	$relay = relay_start($node, $kafka, name => $topic);
	is(eval { relay_end($relay, 30) }, 'exit 80', "$topic, emptied, stops it");
	like(relay_log($relay), qr/stop=TOPIC_RECREATED.*\Q$topic\E/, 'by name');
	relay_stop($relay) if relay_log($relay) !~ /stop=/;
	$relay = relay_start($node, $kafka, adopt_topics => 'on', name => $topic);
	relay_is_streaming($relay);
	relay_wait_drained($node);
	relay_stop($relay);
}

# --- made again while it runs and is not looking
$relay = relay_start($node, $kafka, name => 'running');
relay_is_streaming($relay);
send_many($node, 200, 5);
relay_wait_drained($node);
relay_signal($relay, 'STOP');
kafka_tool($kafka, 'TopicCommand', '--delete', '--topic', 'chat.messages.v1');
kafka_tool($kafka, 'TopicCommand', '--create', '--topic', 'chat.messages.v1',
	'--partitions', '12');
relay_signal($relay, 'CONT');
send_many($node, 50, 5);
is(eval { relay_end($relay, 30) }, 'exit 80', 'a topic that begins again stops it');
like(relay_log($relay), qr/stop=TOPIC_RECREATED.*chat\.messages\.v1/, 'by name');
relay_stop($relay) if relay_log($relay) !~ /stop=/;
$relay = relay_start($node, $kafka, name => 'running');
is(eval { relay_end($relay, 30) }, 'exit 80', 'and when it is started again');
relay_stop($relay) if relay_log($relay) !~ /stop=/;
$relay = relay_start($node, $kafka, adopt_topics => 'on', name => 'running');
relay_is_streaming($relay);
relay_wait_drained($node);
is_whole($node, $kafka, 'republished into the new topic', repaired => 1);
relay_stop($relay);

# --- Kafka deaf while the topics are looked at: it ends all the same
kill STOP => kafka_pid($kafka);
foreach my $nth (1 .. 4)
{
	$relay = relay_start($node, $kafka, name => 'asked to end');
	wait_until('it looks at the topics', sub {
		relay_says($relay, '/readyz') =~ /looking at the topics/
	}, 30);
	sleep 0.9 * $nth;
	my $began = time;
	is(relay_stop($relay), 'exit 0', 'asked to end while Kafka is deaf');
	cmp_ok(time - $began, '<', 3, 'it does so within three seconds');
}

# --- and PostgreSQL gone meanwhile, between two looks at the topics and in one
foreach my $nth (0 .. 5)
{
	$relay = relay_start($node, $kafka, name => 'deaf');
	wait_until('it waits for Kafka',
		sub { relay_log($relay) =~ /waiting for the sink/ }, 30);
	sleep 0.4 * $nth;
	$node->stop('immediate');
	sleep 3;
	my $before = cpu_seconds($relay->{pid});
	sleep 1.5;
	cmp_ok(cpu_seconds($relay->{pid}) - $before, '<', 0.3,
		'with both servers away it sleeps');
	last if $nth == 5;
	relay_signal($relay, 'KILL');
	relay_end($relay);
	$node->start;
}
kill CONT => kafka_pid($kafka);
$node->start;
relay_is_streaming($relay);
relay_wait_drained($node);
is(relay_stop($relay), 'exit 0', 'and goes on');

done_testing();
