# S6, S15: a dump of a thousand entities of each kind, restored into an empty
# server: another history.  The relay writes each entity's state again, marked
# as a replay, once in each topic it belongs to, and what is written next
# follows in a new epoch.
use strict;
use warnings FATAL => 'all';
use JSON::PP ();
use Test::More;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use ChemChat;
use ChemChatKafka;

my $count = 1000;
my $tmp = $PostgreSQL::Test::Utils::tmp_check;
my $origin = start_server('origin');
my $kafka = kafka_start();
my $relay = relay_start($origin, $kafka);
relay_is_streaming($relay);
$origin->safe_psql('postgres', qq{
	CREATE FUNCTION number(kind text, n int) RETURNS uuid LANGUAGE sql
	RETURN md5(kind || n)::uuid;
	SELECT count(chemchat.create_user('user' || n, NULL, number('u', n)))
	  FROM generate_series(1, $count) AS n;
	SELECT count(chemchat.create_conversation(number('u', n), 'group',
			'room ' || n, ARRAY[number('u', n % $count + 1)], number('c', n)))
	  FROM generate_series(1, $count) AS n;
	SELECT count(chemchat.send_message(number('u', n), number('c', n),
			number('m', n), 'm' || n)) FROM generate_series(1, $count) AS n;
	SELECT count(chemchat.edit_message(number('u', n), number('c', n), 1,
			'edited ' || n)) FROM generate_series(1, $count, 3) AS n;
	SELECT count(chemchat.delete_message(number('u', n), number('c', n), 1))
	  FROM generate_series(2, $count, 7) AS n;
	SELECT count(chemchat.react(number('u', n % $count + 1), number('c', n), 1,
			'👍')) FROM generate_series(1, $count) AS n
	 WHERE n % 7 <> 2;
	SELECT count(chemchat.send_message(number('u', n), number('c', n),
			number('k', n), 'once more')) FROM generate_series(2, $count, 7) AS n;
	SELECT count(chemchat.react(number('u', n % $count + 1), number('c', n), 2,
			'👍')) FROM generate_series(2, $count, 7) AS n;
	SELECT count(chemchat.mark(number('u', n % $count + 1), number('c', n), 1))
	  FROM generate_series(1, $count) AS n;
	SELECT count(chemchat.set_preference(number('u', n), number('c', n), true))
	  FROM generate_series(1, $count) AS n;
	SELECT count(chemchat.block_user(number('u', n),
			number('u', (n + 1) % $count + 1)))
	  FROM generate_series(1, $count) AS n});
relay_wait_drained($origin);
is(relay_stop($relay), 'exit 0', 'drained');

# --- elsewhere

command_ok([ 'pg_dump', '--file', "$tmp/dump.sql", $origin->connstr('postgres') ],
	'dumped');
$origin->stop;
my $restored = PostgreSQL::Test::Cluster->new('restored');
$restored->init(allows_streaming => 'logical');
$restored->append_conf('postgresql.conf',
	slurp_file($origin->data_dir . '/postgresql.conf') =~
	  /^(output_plugin_libraries.*)$/m ? $1 : '');
$restored->start;
command_ok([ 'psql', '--quiet', '--no-psqlrc', '--output', '/dev/null',
		'--set', 'ON_ERROR_STOP=1', '--file', "$tmp/dump.sql",
		$restored->connstr('postgres') ], 'restored');
$relay = relay_start($restored, $kafka, name => 'restored');
relay_is_streaming($relay);
relay_wait_drained($restored);
like(relay_log($relay), qr/msg="repairing"/, 'the relay repairs');

# --- each entity once, in each topic that it belongs to

my ($system_id) = $restored->safe_psql('postgres',
	'SELECT system_id FROM chemchat.position()');

# The same JSON is the same text.
my $json = JSON::PP->new->canonical->utf8;

# ce_id => how many records of this history have it; what is wrong besides.  It
# says what the history before said when it was new (which tests/contract holds
# against schemas/).
sub told
{
	my ($topic, $told, $wrong) = @_;
	my %first;
	foreach my $record (@{ read_topic($kafka, $topic) })
	{
		my ($header, $value) = @{$record}{qw(header value)};
		my $event = $json->decode($value);
		if ($header->{ce_source} ne "/chemchat/$system_id")
		{
			$first{ $header->{ce_id} } = $json->encode($event);
			next;
		}
		push @$wrong, "$header->{ce_id} is now $value"
		  if ($first{ $header->{ce_id} } // 'missing') ne $json->encode($event);
		my ($kind, $name, $rev) = $header->{ce_id} =~ /^(\w+):(.*):(\d+)$/;
		$told->{$kind}{"$name:$rev"}++;
		push @$wrong, "$header->{ce_id} is no replay" if !$header->{ce_replay};
		push @$wrong, "$header->{ce_id} says $event->{kind} $event->{rev}"
		  if $event->{kind} ne $kind || $event->{rev} != $rev
		  || $header->{ce_type} ne "chemchat.$kind";
		push @$wrong, "$header->{ce_id} in partition $record->{partition}"
		  if $record->{partition} != java_partition($record->{key}, 12);
	}
	return;
}

my %names = (
	message => "id || ':' || rev FROM chemchat.message",
	conversation => "id || ':' || rev FROM chemchat.conversation",
	member => "conversation_id || '/' || user_id || ':' || rev
		FROM chemchat.member",
	reaction => "id || ':' || rev FROM chemchat.reaction",
	user => "id || ':' || rev FROM chemchat.app_user",
	cursor => "user_id || '/' || conversation_id || ':' || cursor_rev
		FROM chemchat.member_state WHERE cursor_rev > 0",
	preference => "user_id || '/' || conversation_id || ':' || preference_rev
		FROM chemchat.member_state WHERE preference_rev > 0",
	block => "user_id || '/' || blocked_id || ':' || rev FROM chemchat.block");
my %kinds = (
	'chat.messages.v1' => [qw(message conversation member reaction)],
	'chat.conversations.v1' => ['conversation'],
	'chat.users.v1' => [qw(user cursor preference block)]);

foreach my $topic (sort keys %kinds)
{
	my (%told, @wrong);
	told($topic, \%told, \@wrong);
	foreach my $kind (@{ $kinds{$topic} })
	{
		my @there = split /\n/,
		  $restored->safe_psql('postgres', "SELECT $names{$kind}");
		my $records = delete $told{$kind} // {};
		my @lost = grep { !$records->{$_} } @there;
		my @again = grep { $records->{$_} > 1 } keys %$records;
		cmp_ok(scalar @there, '>=', $count, "$topic: a thousand of $kind");
		is(scalar @lost, 0, 'each is there');
		is(scalar @again, 0, 'once');
		is(scalar keys %$records, scalar @there, 'and nothing besides');
	}
	is(join(' ', keys %told), '', "$topic: no other kind");
	is(join("\n", @wrong[ 0 .. ($#wrong > 9 ? 9 : $#wrong) ]), '',
		"$topic: headers, values and partitions agree");
}

# --- what comes next

is($restored->safe_psql('postgres', q{SELECT rev >> 40 FROM
	chemchat.send_message(number('u', 1), number('c', 1), number('new', 1), 'new')}),
	1, 'a new epoch');
relay_wait_drained($restored);
is_whole($restored, $kafka, 'and on', repaired => 1, only_own => 1);
is(relay_stop($relay), 'exit 0', 'drained');

# --- the relay starts again: nothing is repaired a second time

$relay = relay_start($restored, $kafka, name => 'again');
relay_is_streaming($relay);
like(relay_log($relay), qr/msg="going on"/, 'the next start goes on');
is(relay_stop($relay), 'exit 0', 'and stops');
done_testing();
