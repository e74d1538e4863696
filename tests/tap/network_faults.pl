# S1-S3, S6, S8, S12: the network between any two of the parts loses everything
# for half a minute, takes 200 ms each way, resets connections in the middle of
# an answer, delivers a byte at a time.  Who asks is answered in time and
# truly, it is noticed, and what healed works again by itself.
# needs: a wire
use strict;
use warnings FATAL => 'all';
use List::Util qw(max first);
use Test::More;
use Time::HiRes qw(sleep time);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use ChemChat;
use ChemChatKafka;
use ChemChatLive qw(redis_start start_daemon stop_daemon metric ready_reason
  ws_open ws_send ws_expect);
use ChemChatWire;

plan skip_all => 'no network of its own: needs root and /dev/net/tun'
  if !has_wire();

# lines, by who is at their client's end
use constant {
	GATEWAY_PG => 11,
	RELAY_PG => 12,
	RELAY_KAFKA => 13,
	RELAY_REDIS => 14,
	GATEWAY_REDIS => 15,
	OTHER_PG => 16
};
my @lines = (GATEWAY_PG, RELAY_PG, RELAY_KAFKA, RELAY_REDIS, GATEWAY_REDIS);
my $hole_s = $ENV{CHEMCHAT_TEST_HOLE_S} // 30;
my $tmp = $PostgreSQL::Test::Utils::tmp_check;

# --- everything, over lines

my $node = start_server('net', 'wal_sender_timeout = 5s',
	"listen_addresses = '10.9.0.1'", 'max_connections = 40');
append_to_file($node->data_dir . '/pg_hba.conf',
	"host all all 10.9.0.0/24 trust\n");
$node->restart;

sub sql { return $node->safe_psql('postgres', shift); }

sub pg_over
{
	my ($line) = @_;
	return 'host=' . line($line) . ' port=' . $node->port
	  . ' dbname=postgres user=' . scalar getpwuid($<);
}

my ($port, $controller_port, $wire_port) =
  map { PostgreSQL::Test::Cluster::get_free_port() } 1 .. 3;
my $kafka = kafka_start(undef, ports => [ $port, $controller_port ],
	settings => kafka_settings(RELAY_KAFKA, $port, $controller_port, $wire_port));
my $redis = redis_start(undef, '10.9.0.1');
make_conversations($node, 16);
my %id = map { $_ => sql("SELECT id FROM chemchat.create_user('$_')") }
  qw(alice bob carol);
my $room = sql("SELECT id FROM chemchat.create_conversation('$id{alice}',
	'group', 'room', ARRAY['$id{bob}', '$id{carol}']::uuid[])");

sub start_relay
{
	my ($name, $line) = @_;
	return relay_start($node, $kafka, name => $name, pg => pg_over($line),
		kafka => line(RELAY_KAFKA) . ":$wire_port",
		redis_url => 'redis://' . line(RELAY_REDIS) . ":$redis->{port}");
}

my $relay = start_relay('relay', RELAY_PG);
relay_is_streaming($relay);
run_command([ "$ENV{CHEMCHAT_BIN}/chemchatctl", 'secret', '--out', "$tmp/key" ]);
my $gateway = start_daemon('chemchat-gateway', 'gateway',
	pg => pg_over(GATEWAY_PG), jwt_secret_file => "$tmp/key", listen_port => 0,
	port_file => "$tmp/port", send_rate => 0,
	redis_url => 'redis://' . line(GATEWAY_REDIS) . ":$redis->{port}");
wait_until('the gateway is ready', sub { ready_reason($gateway) eq '' }, 20);
chomp($gateway->{port} = slurp_file("$tmp/port"));

sub person
{
	my ($who) = @_;
	my ($token) = run_command([ "$ENV{CHEMCHAT_BIN}/chemchatctl", 'token',
			'--secret-file', "$tmp/key", '--user', $id{$who} ]);
	return ws_open($gateway->{port}, $token);
}

sub is_live { return (metric($gateway, 'chemchat_gateway_live') // -1) == 1; }
wait_until('it is live', \&is_live, 20);

my $reader = reader_start('bob', $room, sub { person('bob') });
my $writer = writer_start('alice', $room, 1, sub { person('alice') });
my $carol = person('carol');
my $load = load_start($node, 150);

# --- what is looked at

# The answers alice got since then: [n, code, seconds, when].
sub answers
{
	my ($since) = @_;
	return grep { $_->[3] >= $since }
	  map { [ @$_[ 1 .. 4 ] ] } grep { $_->[0] eq 'answer' } child_said($writer);
}

sub is_ok_since
{
	my ($since) = @_;
	return scalar grep { $_->[1] eq 'ok' && $_->[3] - $_->[2] >= $since }
	  answers($since);
}

# Of alice's answers since then: none is false, none is late.
sub are_good
{
	my ($what, $since, $limit_s) = @_;
	my %count;
	$count{ $_->[1] }++ foreach answers($since);
	my $said = join ', ', map { "$_: $count{$_}" } sort keys %count;
	delete @count{qw(ok unknown_outcome unavailable busy)};
	is(join(' ', sort keys %count), '', "$what: nothing false is answered");
	my $longest = max(0, map { $_->[2] } answers($since));
	cmp_ok($longest, '<', $limit_s, "$what: and each in time");
	note sprintf '%s: %s; the longest took %.2f s', $what, $said, $longest;
	return;
}

# Seconds until the code says true; a failure of the test after so many.
sub within
{
	my ($limit_s, $what, $code) = @_;
	my $began = time;
	sleep 0.05 while !$code->() && time - $began < $limit_s * 3;
	my $took = time - $began;
	cmp_ok($took, '<', $limit_s, $what);
	note sprintf '%s: after %.1f s', $what, $took;
	return $took;
}

# How long pings take: the 99th of a hundred, in milliseconds.
sub ping_p99
{
	my ($seconds) = @_;
	my $end = time + $seconds;
	my @took;
	while (time < $end)
	{
		my $began = time;
		my $ref = 'p' . @took;
		ws_send($carol, { type => 'ping', ref => $ref });
		my $pong = ws_expect($carol, 5, sub { ($_->{ref} // '') eq $ref });
		push @took, $pong ? (time - $began) * 1000 : 5000;
		sleep 0.05;
	}
	@took = sort { $a <=> $b } @took;
	return $took[ int($#took * 0.99) ];
}

sub acknowledged
{
	return relay_metric($relay, 'chemchat_relay_records_acknowledged_total') // 0;
}

sub is_streaming
{
	my ($sink) = @_;
	return relay_metric($relay, 'chemchat_relay_is_streaming', $sink) // 0;
}

# What bob hears is what is said a moment ago.
sub bob_is_close
{
	my $ev = sql("SELECT max(ev) FROM chemchat.change
		WHERE conversation_id = '$room'");
	my ($last) = first { $_->[0] eq 'heard' } reverse child_said($reader);
	return defined $last && $last->[1] >= $ev - 30;
}

# A hole of so many seconds: what is to be seen while it lasts (given when it
# began), and in what order things come back.
sub hole
{
	my ($what, $lines, $during, $after) = @_;
	note "--- nothing passes between $what";
	my $began = time;
	wire(map { $_ => 'drop' } @$lines);
	$during->($began);
	sleep max(0, $hole_s - (time - $began));
	wire();
	$after->(time);
	are_good($what, $began, 7);
	return;
}

# How many sessions the gateway has at the server, dead ones too.
sub sessions
{
	return sql(q{SELECT count(*) FROM pg_stat_activity
		WHERE application_name = 'chemchat-gateway'});
}

my $sessions = sessions();

# --- holes

hole('gateway and PostgreSQL', [GATEWAY_PG],
	sub {
		my $p99 = ping_p99(10);
		cmp_ok($p99, '<=', 100, 'meanwhile pings are answered');
		note sprintf 'ping p99 %.1f ms', $p99;
	},
	sub {
		my ($healed) = @_;
		within(10, 'healed: sends work', sub { is_ok_since($healed) });
		within(10, 'and what is said is heard', \&bob_is_close);
		within(5, 'and the server has ended what was given up',
			sub { sessions() <= $sessions });
	});

hole('relay and PostgreSQL', [RELAY_PG],
	sub {
		within(10, 'the relay notices', sub { !is_streaming('kafka') });
		within(10, 'live delivery too', sub { !is_streaming('live') });
		within(5, 'the gateway polls', sub { !is_live() });
		within(5, 'and what is said is heard', \&bob_is_close);
	},
	sub {
		within(10, 'healed: it streams', sub { is_streaming('kafka') });
		within(10, 'and live delivery too', \&is_live);
	});

hole('relay and Kafka', [RELAY_KAFKA],
	sub {
		within(10, 'the relay says so',
			sub { relay_says($relay, '/readyz') =~ /does not acknowledge/ });
		is($node->safe_psql('postgres', q{SELECT count(*) FROM
			pg_replication_slots WHERE active}), 2, 'it goes on listening');
		ok(bob_is_close(), 'live delivery does not wait');
	},
	sub {
		my $before = acknowledged();
		within(12, 'healed: Kafka acknowledges',
			sub { acknowledged() > $before + 100 });
		cmp_ok(rss_peak_kb($relay->{pid}), '<', 64 * 1024,
			'its memory was bounded');
	});

hole('relay, gateway and Redis', [ RELAY_REDIS, GATEWAY_REDIS ],
	sub {
		within(5, 'the gateway polls', sub { !is_live() });
		within(5, 'and what is said is heard', \&bob_is_close);
	},
	sub { within(10, 'healed: it is live', \&is_live) });

# --- slow lines, lines that break

sub on_all
{
	my ($rule) = @_;
	wire(map { $_ => $rule } @lines);
	return;
}

my $began = time;
on_all('delay 0.2');
sleep 5;
sql(q{SELECT pg_terminate_backend(pid) FROM pg_stat_activity
	WHERE client_addr IS NOT NULL});
within(15, '200 ms each way: the relay comes back',
	sub { is_streaming('kafka') && is_streaming('live') });
within(15, '200 ms each way: live', \&is_live);
my $since = time;
within(10, 'sends work', sub { is_ok_since($since) > 3 });
within(10, 'and are heard', \&bob_is_close);
my $before = acknowledged();
within(30, 'Kafka acknowledges', sub { acknowledged() > $before + 100 });
are_good('200 ms each way', $began, 7);

$began = time;
on_all('reset 0.02');
sleep 15;
wire();
my $healed = time;
within(10, 'resets over: sends work', sub { is_ok_since($healed) > 3 });
within(10, 'the relay streams', sub { is_streaming('kafka') });
within(10, 'live again', \&is_live);
within(10, 'and heard', \&bob_is_close);
are_good('connections reset', $began, 7);

# what a byte at a time carries, a thousand packets each, is only the chat
load_end($load);
relay_wait_drained($node);
$began = time;
on_all('slice 1');
sleep 5;
wire();
$healed = time;
within(10, 'a byte at a time: sends work', sub { is_ok_since($healed) > 3 });
within(10, 'live', \&is_live);
are_good('a byte at a time', $began, 7);

# --- nothing was lost, doubled or out of order

child_end($writer);
relay_wait_drained($node);
wait_until('bob heard the last', sub {
	my $ev = sql("SELECT max(ev) FROM chemchat.change
		WHERE conversation_id = '$room'");
	my ($last) = first { $_->[0] eq 'heard' } reverse child_said($reader);
	return $last->[1] == $ev;
}, 20);
child_end($reader);
is_whole($node, $kafka, 'holes, latency, resets, slices');
my %there = map { split /\|/ } split /\n/, sql("SELECT client_msg_id, count(*)
	FROM chemchat.message WHERE conversation_id = '$room' GROUP BY 1");
my @said = map { $_->[1] }
  grep { $_->[0] eq 'answer' && $_->[2] eq 'ok' } child_said($writer);
is(scalar(grep { ($there{ message_id($_) } // 0) != 1 } @said), 0,
	'what was acknowledged is there once');
cmp_ok(scalar @said, '>', 300, 'alice was heard out');
my @evs = map { $_->[1] } grep { $_->[0] eq 'heard' } child_said($reader);
my @wrong = grep { $evs[$_] != $evs[ $_ - 1 ] + 1 } 1 .. $#evs;
is("@wrong", '', 'bob heard each once, in order, without a gap');
is(join(' ', grep { !/^(added|ping)$/ } map { $_->[1] }
	  grep { $_->[0] eq 'frame' } child_said($reader)), '',
	'and was never told to begin again');
note scalar(@said) . ' acknowledged, ' . scalar(@evs) . ' heard';

# --- a relay whose machine is gone does not keep the slot

is(relay_stop($relay), 'exit 0', 'drained');
wire(RELAY_KAFKA, 'drop');
my $gone = start_relay('gone', RELAY_PG);
wait_until('it holds the lock', sub {
	relay_log($gone) =~ /waiting for the sink/ }, 20);
wire(RELAY_PG, 'drop');
relay_signal($gone, 'KILL');
relay_end($gone);
$relay = start_relay('next', OTHER_PG);
within(25, 'the next one streams', sub { is_streaming('kafka') });

is(relay_stop($relay), 'exit 0', 'drained');
is(stop_daemon($gateway), 0, 'the gateway ends with 0');
done_testing();
