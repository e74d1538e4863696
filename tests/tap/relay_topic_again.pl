# S15: a topic that is deleted and made again under a running relay, so small
# and so quiet that no count of records tells: no start passes over it, not
# even after the relay wrote into the new one.
use strict;
use warnings FATAL => 'all';
use Test::More;
use PostgreSQL::Test::Utils;
use ChemChat;
use ChemChatKafka;

my $node = start_server('again');
my $kafka = kafka_start();
my $made = 0;

# A user whose events go to this partition of chat.users.v1.
sub user_in
{
	my ($partition) = @_;
	my $id;
	do
	{
		$id = sprintf '01930000-0000-7000-8000-%012x', ++$made;
	} while (java_partition($id, 12) != $partition);
	$node->safe_psql('postgres',
		"SELECT chemchat.create_user('user$made', NULL, '$id')");
	return;
}

sub make_again
{
	my ($topic) = @_;
	kafka_tool($kafka, 'TopicCommand', '--delete', '--topic', $topic);
	kafka_tool($kafka, 'TopicCommand', '--create', '--topic', $topic,
		'--partitions', '12');
	return;
}

make_conversations($node, 20);
user_in(3) foreach 1 .. 3;
my $relay = relay_start($node, $kafka);
relay_is_streaming($relay);
send_many($node, 500, 5);
relay_wait_drained($node);
like(stream_row($node, 'partitions'), qr/"last".*"chat\.users\.v1":"[^"]*3:\d+:/,
	'where the last records stand is on record');

# --- what it writes next goes where it never wrote before
relay_signal($relay, 'STOP');
make_again('chat.users.v1');
relay_signal($relay, 'CONT');
my %used = map { $_->{partition} => 1 } @{ read_topic($kafka, 'chat.users.v1') };
my ($free) = grep {
	my $partition = $_;
	stream_row($node, 'partitions') !~ /"chat\.users\.v1":"(?:[^"]* )?$partition:/
} 0 .. 11;
user_in($free) foreach 1 .. 30;
wait_until('the new topic holds more than the old one did', sub {
	return @{ read_topic($kafka, 'chat.users.v1') } == 30;
}, 30);
relay_wait_drained($node);
is(relay_stop($relay), 'exit 0', 'nothing was noticed: that partition is new');
$relay = relay_start($node, $kafka);
is(eval { relay_end($relay, 30) }, 'exit 80', 'the next start notices');
like(relay_log($relay),
	qr/stop=TOPIC_RECREATED.*chat\.users\.v1 .*partition \d+, offset/, 'by name');
relay_stop($relay) if relay_log($relay) !~ /stop=/;

# --- and the one after it, whatever the new topic holds by then
$relay = relay_start($node, $kafka);
is(eval { relay_end($relay, 30) }, 'exit 80', 'and every one after it');

# --- killed with more in flight than the old topic ever held
$relay = relay_start($node, $kafka, adopt_topics => 'on');
relay_is_streaming($relay);
relay_wait_drained($node);
relay_signal($relay, 'STOP');
make_again('chat.conversations.v1');
$node->safe_psql('postgres', q{
	SELECT chemchat.update_conversation(c.sender, c.conversation,
		title => 'title ' || i || ' of ' || c.conversation)
	  FROM (SELECT DISTINCT ON (conversation) sender, conversation FROM seat
			 ORDER BY conversation, no) AS c, generate_series(1, 20) AS i});
relay_signal($relay, 'CONT');
is(eval { relay_end($relay, 30) }, 'exit 80', 'a partition that goes back stops it');
like(relay_log($relay), qr/stop=TOPIC_RECREATED.*chat\.conversations\.v1/, 'by name');
cmp_ok(scalar @{ read_topic($kafka, 'chat.conversations.v1') }, '>', 20,
	'by then the new topic holds more than the old one did');
$relay = relay_start($node, $kafka);
is(eval { relay_end($relay, 30) }, 'exit 80',
	'and a supervisor that starts it again changes nothing');
relay_stop($relay) if relay_log($relay) !~ /stop=/;
$relay = relay_start($node, $kafka, adopt_topics => 'on');
relay_is_streaming($relay);
relay_wait_drained($node);
is_whole($node, $kafka, 'adopted and republished', repaired => 1);
is(relay_stop($relay), 'exit 0', 'it goes on');
$relay = relay_start($node, $kafka);
relay_is_streaming($relay);
pass('and starts as ever');
relay_stop($relay);

done_testing();
