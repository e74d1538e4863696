# S15 and FAULTS "Kafka": a topic that gets partitions, is deleted, or made
# again while the relay runs or does not: a loud stop, nothing misplaced; an
# event too large for its topic: the dead letters, its neighbours unharmed.
use strict;
use warnings FATAL => 'all';
use Test::More;
use Time::HiRes qw(sleep time);
use PostgreSQL::Test::Utils;
use ChemChat;
use ChemChatKafka;

my $node = start_server('topics');
my $kafka = kafka_start();
make_conversations($node, 20);
my $relay = relay_start($node, $kafka);
relay_is_streaming($relay);
send_many($node, 200, 5);
relay_wait_drained($node);

# --- the limit is lowered while running, one oversize among many
my $seat = $node->safe_psql('postgres',
	q{SELECT sender || ',' || conversation FROM seat WHERE no = 1});
my ($sender, $conversation) = split /,/, $seat;
kafka_tool($kafka, 'kafka.admin.ConfigCommand', '--alter', '--entity-type',
	'topics', '--entity-name', 'chat.messages.v1', '--add-config',
	'max.message.bytes=4000');
my $id = $node->safe_psql('postgres', qq{
	CALL send_many(2000, 10);
	SELECT id FROM chemchat.send_message('$sender', '$conversation',
		gen_random_uuid(), repeat('large ', 2000));
	CALL send_many(2000, 10)});
relay_wait_drained($node);
my $dead = read_topic($kafka, 'dlq.chat.messages.v1');
ok(@$dead >= 1, 'a dead letter');
my %distinct = map { $_->{header}{ce_id} => 1 } @$dead;
is_deeply([ keys %distinct ], ["message:$id:1"], 'of the large message alone');
my $letter = $dead->[0];
is($letter->{key}, $conversation, 'with its key');
is($letter->{header}{dlq_topic}, 'chat.messages.v1', 'where it would have gone');
is($letter->{header}{dlq_partition}, java_partition($conversation, 12),
	'and to which partition');
is($letter->{header}{dlq_reason}, 'MSG_SIZE_TOO_LARGE', 'why it did not');
cmp_ok($letter->{header}{dlq_value_size}, '>', 12000, 'what it weighs');
is($letter->{header}{ce_type}, 'chemchat.message', 'and its own headers');
like($letter->{value}, qr/"id":"$id"/, 'and a reference to the row');

my $result = judge($node, $kafka);
is($result->{lost}, 1, 'one message is not in the topic');
is($result->{misplaced}, 0, 'none in the wrong place');
is($result->{gaps}, 1, 'one hole, where it would have been');
like(join("\n", @{ $result->{bad} }), qr/message:$id:1 is not in Kafka/,
	'that one');
is(relay_metric($relay, 'chemchat_ready'), 1, 'the relay goes on');

# --- more partitions while it runs
kafka_tool($kafka, 'TopicCommand', '--alter', '--topic', 'chat.users.v1',
	'--partitions', '16');
is(relay_end($relay, 30), 'exit 80', 'a changed partition count stops it');
like(relay_log($relay),
	qr/stop=PARTITIONS_CHANGED.*chat\.users\.v1 has 16 partitions, was written with 12/,
	'by name');
$relay = relay_start($node, $kafka);
is(relay_end($relay, 30), 'exit 80', 'and when it is started again');

# --- adopted by the operator: everything again, then it goes on
$relay = relay_start($node, $kafka, adopt_topics => 'on');
relay_is_streaming($relay);
relay_wait_drained($node);
like(relay_log($relay), qr/taken as they are/, 'adopted');
like(stream_row($node, 'partitions'), qr/"chat\.users\.v1":16/, 'and put on record');
relay_stop($relay);

# --- deleted while it runs
$relay = relay_start($node, $kafka);
relay_is_streaming($relay);
kafka_tool($kafka, 'TopicCommand', '--delete', '--topic', 'chat.messages.v1');
is(relay_end($relay, 60), 'exit 80', 'a deleted topic stops it');
like(relay_log($relay), qr/stop=TOPIC_DELETED/, 'by name');

# --- made again, empty, while nobody looked
kafka_tool($kafka, 'TopicCommand', '--create', '--topic', 'chat.messages.v1',
	'--partitions', '12');
$relay = relay_start($node, $kafka);
is(relay_end($relay, 30), 'exit 80', 'an emptied topic stops it');
like(relay_log($relay), qr/stop=TOPIC_RECREATED/, 'by name');
$relay = relay_start($node, $kafka, adopt_topics => 'on');
relay_is_streaming($relay);
relay_wait_drained($node);
is_whole($node, $kafka, 'republished into the new topic', repaired => 1);
relay_stop($relay);

# --- topics that may not be made
my $other = kafka_start();
$relay = relay_start($node, $other, topics_create => 'off', adopt_topics => 'on',
	name => 'strict');
wait_until('it says what is missing', sub {
	relay_log($relay) =~ /topic chat\.messages\.v1 does not exist/
}, 30);
pass('a missing topic is told, not made');
is(relay_metric($relay, 'chemchat_ready'), 0, 'and the relay is not ready');
is(relay_stop($relay), 'exit 0', 'it can be stopped meanwhile');

done_testing();
