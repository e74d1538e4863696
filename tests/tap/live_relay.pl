# The live slot: committed events are on their channels at once, numbered and
# with heartbeats; Redis or Kafka being away, stopped or emptied holds no slot
# back, and whoever listens can tell that something was missed.
use strict;
use warnings FATAL => 'all';
use Test::More;
use Time::HiRes qw(sleep time);
use PostgreSQL::Test::Utils;
use ChemChat;
use ChemChatLive;

my $node = start_server('live', 'wal_sender_timeout = 10s');
my $redis = redis_start();
my $pg = $node->connstr('postgres') . ' user=' . scalar getpwuid($<);

sub sql { return $node->safe_psql('postgres', shift); }

my ($alice, $bob) = map { sql("SELECT id FROM chemchat.create_user('$_')") }
  qw(alice bob);
my @conversations = map {
	sql("SELECT id FROM chemchat.create_conversation('$alice', 'group',
		'c$_', ARRAY['$bob']::uuid[])")
} 1 .. 5;

sub send_sql
{
	my ($n, $body) = @_;
	return "SELECT ev FROM chemchat.send_message('$alice',
		'$conversations[$n]', gen_random_uuid(), '$body')";
}

sub start_relay
{
	my ($name, %options) = @_;
	my $relay = start_daemon('chemchat-relay', $name, pg => $pg, sink => 'null',
		redis_url => $redis->{url}, log_level => 'debug', %options);
	return $relay;
}

sub slot_lsn
{
	my ($like) = @_;
	return sql("SELECT confirmed_flush_lsn - '0/0' FROM pg_replication_slots
		WHERE slot_name LIKE '$like'") || 0;
}

# Waits until what is committed now is behind that slot.
sub is_passed
{
	my ($like) = @_;
	my $lsn = sql("SELECT pg_current_wal_flush_lsn() - '0/0'");
	sql("SELECT pg_log_standby_snapshot()") if $node->pg_version >= 16;
	return wait_until("slot $like passes", sub {
		sql('CHECKPOINT'); # something for an idle walsender to tell of
		return slot_lsn($like) >= $lsn;
	}, 30);
}

# The next message on any channel whose event says that body.
sub hear_body
{
	my ($ear, $body, $seconds) = @_;
	my $found;
	ear_listen($ear, sub {
		my $message = shift or return 0;
		return 0 if !grep { index($_->{json}, "\"$body\"") >= 0 }
		  @{ $message->{events} };
		$found = $message;
		return 1;
	}, $seconds);
	return $found;
}

# One heartbeat of every channel, by channel; those heard before are passed
# over when they are of an older reader.
sub hear_heartbeats
{
	my ($ear, $above) = @_;
	my %heard;
	ear_listen($ear, sub {
		my $message = shift or return 0;
		$heard{ $message->{channel} } = $message if $message->{is_heartbeat}
		  && $message->{incarnation} > ($above // 0);
		return keys %heard == CHANNELS;
	}, 20);
	return \%heard;
}

# --- what is committed is heard

my $relay = start_relay('relay_1');
my $ear = ear_open($redis);
my $beats = hear_heartbeats($ear);
is(scalar keys %$beats, CHANNELS, 'every channel has a heartbeat');
my ($first) = values %$beats;
my %incarnations = map { $_->{incarnation} => 1 } values %$beats;
is(scalar keys %incarnations, 1, 'all of one incarnation');
is($first->{system_id},
	sql('SELECT system_identifier FROM pg_control_system()'),
	'with the system identifier');

my $before = time;
my $ev = sql(send_sql(0, 'hello'));
my $message = hear_body($ear, 'hello', 10);
ok($message, 'a send in SQL is heard');
note(sprintf 'heard %.0f ms after psql was started', (time - $before) * 1000);
is($message->{channel}, live_channel($conversations[0]),
	'on the channel of its conversation');
is($message->{events}[0]{key}, $conversations[0], 'with its key');
is($message->{events}[0]{ev}, $ev, 'and its ev');
is($message->{number}, $beats->{ $message->{channel} }{number} + 1,
	'numbered behind the heartbeat');

sql("BEGIN; " . send_sql(0, 'undone') . "; ROLLBACK; " . send_sql(0, 'done'));
my @bodies;
ear_listen($ear, sub {
	my $heard = shift or return 0;
	push @bodies, map { $_->{json} =~ /"body":"([^"]*)"/ } @{ $heard->{events} };
	return grep { $_ eq 'done' } @bodies;
}, 10);
is("@bodies", 'done', 'what was rolled back is never heard');

sql("BEGIN; " . join('; ', map { send_sql($_ % 5, "t$_") } 0 .. 19)
	. "; COMMIT");
my (%per_channel, %ends, $heard_events);
ear_listen($ear, sub {
	my $heard = shift or return 0;
	return 0 if $heard->{is_heartbeat};
	$per_channel{ $heard->{channel} }++;
	$ends{ $heard->{end_lsn} }++;
	$heard_events += @{ $heard->{events} };
	return $heard_events >= 20;
}, 10);
is($heard_events, 20, 'every event of a transaction is heard');
is(scalar keys %ends, 1, 'under one position');
is((grep { $_ != 1 } values %per_channel), 0, 'one message a channel');

my $published = metric($relay, 'chemchat_live_published_total');
sql('SELECT chemchat.republish()');
sql(send_sql(0, 'behind republish'));
$message = hear_body($ear, 'behind republish', 10);
is(metric($relay, 'chemchat_live_published_total'), $published + 1,
	'what is republished is not heard');

# --- a relay that dies: another incarnation, nothing old

my $incarnation = $message->{incarnation};
stop_daemon($relay, 'KILL');
sql(send_sql(0, "missed $_")) foreach 1 .. 3;
$relay = start_relay('relay_2');
$beats = hear_heartbeats($ear, $incarnation);
is(scalar keys %$beats, CHANNELS, 'a new reader has a higher incarnation');
sql(send_sql(0, 'after the restart'));
@bodies = ();
ear_listen($ear, sub {
	my $heard = shift or return 0;
	push @bodies, map { $_->{json} =~ /"body":"([^"]*)"/ } @{ $heard->{events} };
	$message = $heard if @bodies;
	return @bodies;
}, 10);
is("@bodies", 'after the restart', 'it begins with what is new');
is($message->{number}, 1, 'and with number 1');
is_passed('chemchat_%_live');
ok(1, 'the live slot passes what nobody heard');

# --- a clock that went back, an emptied Redis

my $future = 9000000000000000;
redis_do($redis, 'SET', '{chemchat:live}:incarnation', $future);
is(stop_daemon($relay), 0, 'SIGTERM ends the relay with 0');
$relay = start_relay('relay_3');
$beats = hear_heartbeats($ear, $future);
is(scalar keys %$beats, CHANNELS, 'incarnations grow when the clock does not');
redis_do($redis, 'FLUSHALL');
sql(send_sql(1, 'after FLUSHALL'));
ok(hear_body($ear, 'after FLUSHALL', 10), 'FLUSHALL changes nothing');

# --- Redis is killed, and comes back

my $channel = live_channel($conversations[2]);
sql(send_sql(2, 'before the kill'));
$message = hear_body($ear, 'before the kill', 10);
redis_signal($redis, 'KILL');
wait_until('the relay misses Redis', sub {
	return metric($relay, 'chemchat_live_redis_connected') == 0;
}, 10);
sql(send_sql(2, "nobody hears $_")) foreach 1 .. 3;
is_passed('chemchat_%_live');
ok(1, 'with Redis away the live slot goes on');
is_passed('chemchat_%_0of1');
ok(1, 'and so does the other slot');
is(ready_reason($relay), '', 'and the relay is ready');
redis_start($redis);
$ear = ear_open($redis);
$beats = hear_heartbeats($ear);
is($beats->{$channel}{incarnation}, $message->{incarnation},
	'when Redis is back, it is the same reader');
is($beats->{$channel}{number}, $message->{number} + 3,
	'and the numbers tell what was missed');
sql(send_sql(2, 'heard again'));
is(hear_body($ear, 'heard again', 10)->{number}, $message->{number} + 4,
	'the next is the next');
is(metric($relay, 'chemchat_live_dropped_total'), 3, 'three were dropped');

# --- Redis stops answering, and goes on

redis_signal($redis, 'STOP');
sql(send_sql(3, "into the void $_")) foreach 1 .. 3;
wait_until('the relay sees that Redis answers nothing', sub {
	return metric($relay, 'chemchat_live_redis_connected') == 0;
}, 10);
sql(send_sql(3, 'dropped'));
is_passed('chemchat_%_live');
ok(1, 'with Redis stopped the live slot goes on');
redis_signal($redis, 'CONT');
wait_until('the relay finds Redis again', sub {
	return metric($relay, 'chemchat_live_redis_connected') == 1;
}, 10);
sql(send_sql(3, 'and heard again'));
$ear = ear_open($redis);
$beats = hear_heartbeats($ear);
is($beats->{ live_channel($conversations[3]) }{incarnation},
	$message->{incarnation}, 'a Redis that goes on has the same reader');

# --- PostgreSQL's side stops: heartbeats must not go on as if all were well

my $walsender = sql("SELECT active_pid FROM pg_replication_slots
	WHERE slot_name LIKE 'chemchat_%_live'");
kill STOP => $walsender;
my $last_beat = time;
my $is_silent = ear_listen($ear, sub {
	my $heard = shift;
	$last_beat = time if $heard;
	return time - $last_beat > 2;
}, 10);
kill CONT => $walsender;
ok($is_silent, 'a reader that hears nothing falls silent');
hear_heartbeats($ear);
sql(send_sql(3, 'awake'));
ok(hear_body($ear, 'awake', 10), 'and goes on when it hears again');

# --- another relay stands by

my $standby = start_relay('relay_4');
$incarnation = $message->{incarnation};
stop_daemon($relay, 'KILL');
$before = time;
$beats = hear_heartbeats($ear, $incarnation);
is(scalar keys %$beats, CHANNELS, 'another relay takes over');
cmp_ok(time - $before, '<', 8, 'within seconds');
sql(send_sql(4, 'taken over'));
ok(hear_body($ear, 'taken over', 10), 'and is heard');
is(stop_daemon($standby), 0, 'it ends with 0');

# --- Kafka away holds nothing live back

$relay = start_relay('relay_5', sink => 'kafka',
	kafka => '127.0.0.1:' . PostgreSQL::Test::Cluster::get_free_port());
hear_heartbeats($ear, $beats->{0}{incarnation});
sql(send_sql(4, 'without Kafka'));
ok(hear_body($ear, 'without Kafka', 10), 'live with Kafka away');
stop_daemon($relay);

# --- no Redis at all when the relay starts

redis_signal($redis, 'KILL');
$relay = start_relay('relay_6');
sql(send_sql(4, 'nobody there'));
is_passed('chemchat_%_live');
ok(1, 'a relay that starts without Redis holds no slot back');
redis_start($redis);
$ear = ear_open($redis);
is(scalar keys %{ hear_heartbeats($ear) }, CHANNELS,
	'and finds it when it comes');
is(stop_daemon($relay), 0, 'the relay ends with 0');

done_testing();
