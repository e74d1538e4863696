# The gateway on the live channels: what is committed is on the screen at once;
# what the channels lose, the last frame and the one that says removed or added
# included, is there within five seconds; with Redis away, stopped or the
# relay dead it is polled, and becomes live again by itself.
use strict;
use warnings FATAL => 'all';
use List::Util qw(first);
use Test::More;
use Time::HiRes qw(sleep time);
use PostgreSQL::Test::Utils;
use ChemChat;
use ChemChatLive;

my $node = start_server('live', 'wal_sender_timeout = 10s');
my $redis = redis_start();
my $proxy = proxy_start($redis);
my $pg = $node->connstr('postgres') . ' user=' . scalar getpwuid($<);
my $tmp = $PostgreSQL::Test::Utils::tmp_check;

sub sql { return $node->safe_psql('postgres', shift); }

my %id = map { $_ => sql("SELECT id FROM chemchat.create_user('$_')") }
  qw(alice bob carol);
my $general = sql("SELECT id FROM chemchat.create_conversation('$id{alice}',
	'group', 'general', ARRAY['$id{bob}']::uuid[])");

sub send_sql
{
	my ($who, $body) = @_;
	return sql("SELECT ev FROM chemchat.send_message('$id{$who}', '$general',
		gen_random_uuid(), '$body')");
}

run_command([ "$ENV{CHEMCHAT_BIN}/chemchatctl", 'secret', '--out', "$tmp/key" ]);

sub person
{
	my ($port, $who) = @_;
	my ($token) = run_command([ "$ENV{CHEMCHAT_BIN}/chemchatctl", 'token',
			'--secret-file', "$tmp/key", '--user', $id{$who} ]);
	return ws_open($port, $token);
}

sub start_gateway
{
	my ($name, $url) = @_;
	my $port_file = "$tmp/$name.port";
	unlink $port_file;
	my $gateway = start_daemon('chemchat-gateway', $name, pg => $pg,
		jwt_secret_file => "$tmp/key", listen_port => 0,
		port_file => $port_file, redis_url => $url, log_level => 'debug');
	wait_until('the gateway listens', sub { -s $port_file }, 20);
	chomp($gateway->{port} = slurp_file($port_file));
	wait_until('the gateway is ready', sub { ready_reason($gateway) eq '' }, 20);
	return $gateway;
}

sub start_relay
{
	return start_daemon('chemchat-relay', shift, pg => $pg, sink => 'null',
		redis_url => $redis->{url});
}

sub is_live
{
	my ($gateway) = @_;
	return (metric($gateway, 'chemchat_gateway_live') // -1) == 1;
}

# Milliseconds until that body is on the screen, or undef.
sub seen_after
{
	my ($ws, $body, $seconds) = @_;
	my $began = time;
	my $frame = ws_expect($ws, $seconds // 10, sub {
		return $_->{type} eq 'events'
		  && first { ($_->{body} // '') eq $body } @{ $_->{events} };
	});
	return $frame ? (time - $began) * 1000 : undef;
}

# What is on a screen must be dense, in order, once.
my %last_ev;
sub note_order
{
	my ($name, $frame) = @_;
	return if $frame->{type} ne 'events';
	foreach my $event (@{ $frame->{events} })
	{
		my $last = $last_ev{$name};
		push @main::wrong, "$name: ev $event->{ev} behind $last"
		  if defined $last && $event->{ev} != $last + 1;
		$last_ev{$name} = $event->{ev};
	}
	return;
}
our @wrong;

# --- live

my $relay = start_relay('relay_1');
my $gateway = start_gateway('gateway_1', $proxy->{url});
wait_until('it is live', sub { is_live($gateway) }, 20);
ok(1, 'the gateway becomes live');
my $bob = person($gateway->{port}, 'bob');

my @took;
foreach my $n (1 .. 20)
{
	send_sql('alice', "hello $n");
	push @took, seen_after($bob, "hello $n") // 99999;
}
@took = sort { $a <=> $b } @took;
cmp_ok($took[19], '<', 5000, 'sends in SQL are on the screen');
note(sprintf 'seen within %.1f ms (median), %.1f ms (worst) of psql\'s end',
	@took[10, 19]);
my $laps_before = metric($gateway, 'chemchat_gateway_live_events_total');
cmp_ok($laps_before, '>=', 20, 'they came through Redis');

# --- swallowed frames

proxy_swallow($proxy, 'the last word');
send_sql('alice', 'the last word');
wait_until('it was swallowed', sub { proxy_swallowed($proxy) }, 10);
my $took = seen_after($bob, 'the last word', 5);
ok(defined $took, 'a swallowed frame that nothing follows is seen within 5 s');
note(sprintf '%.0f ms after it was swallowed', $took // -1);

proxy_swallow($proxy, 'swallowed');
send_sql('alice', 'swallowed');
wait_until('it was swallowed', sub { proxy_swallowed($proxy) }, 10);
send_sql('alice', 'followed');
my $order = '';
ok(ws_expect($bob, 5, sub {
	return 0 if $_->{type} ne 'events';
	$order .= join ' ', map { $_->{body} . ' ' } @{ $_->{events} };
	return $order =~ /followed/;
}), 'what follows a swallowed frame is seen');
like($order, qr/^swallowed +followed/, 'behind what was swallowed');

# --- the frame that says added, the frame that says removed

my $carol = person($gateway->{port}, 'carol');
proxy_swallow($proxy, $id{carol});
sql("SELECT chemchat.add_member('$id{alice}', '$general', '$id{carol}')");
wait_until('it was swallowed', sub { proxy_swallowed($proxy) }, 10);
ok(ws_expect($carol, 5, sub {
	$_->{type} eq 'added' && $_->{conversationId} eq $general
}), 'a swallowed `added` is noticed within 5 s');
send_sql('alice', 'welcome');
ok(defined seen_after($carol, 'welcome', 5), 'and she sees what follows');

proxy_swallow($proxy, $id{carol});
sql("SELECT chemchat.remove_member('$id{alice}', '$general', '$id{carol}')");
wait_until('it was swallowed', sub { proxy_swallowed($proxy) }, 10);
ok(ws_expect($carol, 5, sub {
	$_->{type} eq 'removed' && $_->{conversationId} eq $general
}), 'a swallowed `removed` is noticed within 5 s');
send_sql('alice', 'behind her back');
ok(defined seen_after($bob, 'behind her back', 5), 'members see what follows');
ok(!ws_expect($carol, 2, sub {
	$_->{type} eq 'events' && $_->{conversationId} eq $general
}), 'and she does not');

proxy_swallow($proxy, $id{bob});
sql("SELECT chemchat.remove_member('$id{alice}', '$general', '$id{bob}')");
wait_until('it was swallowed', sub { proxy_swallowed($proxy) }, 10);
send_sql('alice', 'at once behind his back');
my $leaked = ws_expect($bob, 5, sub {
	push @wrong, 'bob saw what followed his removal'
	  if $_->{type} eq 'events'
	  && grep { ($_->{body} // '') =~ /at once/ } @{ $_->{events} };
	return $_->{type} eq 'removed';
});
ok($leaked, 'a removal that is swallowed and followed at once is noticed');
is("@wrong", '', 'before anything that followed it');
sql("SELECT chemchat.add_member('$id{alice}', '$general', '$id{bob}')");
ok(ws_expect($bob, 5, sub { $_->{type} eq 'added' }), 'and he is back');

# --- the relay dies

stop_daemon($relay, 'KILL');
send_sql('alice', 'the relay is dead');
ok(defined seen_after($bob, 'the relay is dead', 5),
	'with the relay dead it is seen within 5 s');
wait_until('the gateway polls', sub { !is_live($gateway) }, 5);
send_sql('alice', 'polled');
$took = seen_after($bob, 'polled', 5);
cmp_ok($took // 99999, '<', 1000, 'and then within a second');
$relay = start_relay('relay_2');
wait_until('it is live again', sub { is_live($gateway) }, 20);
ok(1, 'another reader: live again');
send_sql('alice', 'live again');
ok(defined seen_after($bob, 'live again', 5), 'and seen');

# --- Redis is emptied, killed, stopped

redis_do($redis, 'FLUSHALL');
send_sql('alice', 'flushed');
ok(defined seen_after($bob, 'flushed', 5), 'FLUSHALL changes nothing');
ok(is_live($gateway), 'not even the mode');

redis_signal($redis, 'KILL');
send_sql('alice', 'no Redis');
$took = seen_after($bob, 'no Redis', 5);
cmp_ok($took // 99999, '<', 3000, 'with Redis killed it is polled at once');
ok(!is_live($gateway), 'the gateway knows');
redis_start($redis);
wait_until('it is live again', sub { is_live($gateway) }, 20);
send_sql('alice', 'Redis is back');
ok(defined seen_after($bob, 'Redis is back', 5), 'Redis back: live again');

redis_signal($redis, 'STOP');
send_sql('alice', 'a stopped Redis');
ok(defined seen_after($bob, 'a stopped Redis', 5),
	'with a Redis that accepts and never answers it is seen within 5 s');
wait_until('the gateway polls', sub { !is_live($gateway) }, 5);
send_sql('alice', 'polled meanwhile');
cmp_ok(seen_after($bob, 'polled meanwhile', 5) // 99999, '<', 1000,
	'and then within a second');
redis_signal($redis, 'CONT');
wait_until('it is live again', sub { is_live($gateway) }, 20);
send_sql('alice', 'it goes on');
ok(defined seen_after($bob, 'it goes on', 5), 'Redis goes on: live again');

# --- who should publish sleeps: the walsender, the relay

my $walsender = sql("SELECT active_pid FROM pg_replication_slots
	WHERE slot_name LIKE 'chemchat_%_live'");
foreach my $sleeper ([ 'the walsender', $walsender ],
	[ 'the relay', $relay->{pid} ])
{
	my ($name, $pid) = @$sleeper;
	kill STOP => $pid;
	send_sql('alice', "$name sleeps");
	ok(defined seen_after($bob, "$name sleeps", 6),
		"with $name stopped it is seen within 6 s");
	wait_until('the gateway polls', sub { !is_live($gateway) }, 7);
	kill CONT => $pid;
	wait_until('it is live again', sub { is_live($gateway) }, 20);
	send_sql('alice', "$name is awake");
	ok(defined seen_after($bob, "$name is awake", 5),
		"$name goes on: live again");
}

# --- all of it again under load: everything once, in order

my $watcher = person($gateway->{port}, 'bob');
my $writer = fork // die "fork: $!";
if ($writer == 0)
{
	for my $n (1 .. 150)
	{
		system 'psql', '-X', '-q', '-o', '/dev/null', '-d', $pg, '-c',
		  "SELECT chemchat.send_message('$id{alice}', '$general',
			gen_random_uuid(), 'load $n')";
		sleep 0.03;
	}
	POSIX::_exit(0);
}
my $phase = 0;
my $began = time;
my $is_done = ws_expect($watcher, 90, sub {
	note_order('watcher', $_);
	my $age = time - $began;
	if ($phase == 0 && $age > 1)
	{
		redis_signal($redis, 'KILL');
		$phase = 1;
	}
	elsif ($phase == 1 && $age > 2)
	{
		redis_start($redis);
		$phase = 2;
	}
	elsif ($phase == 2 && $age > 4)
	{
		stop_daemon($relay, 'KILL');
		$relay = start_relay('relay_3');
		$phase = 3;
	}
	return $_->{type} eq 'events'
	  && grep { ($_->{body} // '') eq 'load 150' } @{ $_->{events} };
});
waitpid $writer, 0;
ok($is_done, 'everything arrives while Redis and relay are killed');
is($phase, 3, 'both were');
is("@wrong", '', 'without a gap, a repetition or a change of order');

is(stop_daemon($gateway), 0, 'the gateway ends with 0');
is(stop_daemon($relay), 0, 'and so does the relay');
done_testing();
