# The gateway while PostgreSQL is frozen, its disk is full, or descriptors run
# out: who asks is answered in time and truly, and others do not notice.
use strict;
use warnings FATAL => 'all';
use IO::Socket::INET;
use Test::More;
use Time::HiRes qw(sleep time);
use PostgreSQL::Test::Utils;
use ChemChat;
use ChemChatLive;

my $node = start_server('faults');
my $pg = $node->connstr('postgres') . ' user=' . scalar getpwuid($<);
my $tmp = $PostgreSQL::Test::Utils::tmp_check;

sub sql { return $node->safe_psql('postgres', shift); }

my %id = map { $_ => sql("SELECT id FROM chemchat.create_user('$_')") }
  qw(alice bob);
my $room = sql("SELECT id FROM chemchat.create_conversation('$id{alice}',
	'group', 'room', ARRAY['$id{bob}']::uuid[])");
run_command([ "$ENV{CHEMCHAT_BIN}/chemchatctl", 'secret', '--out', "$tmp/key" ]);

sub person
{
	my ($gateway, $who) = @_;
	my ($token) = run_command([ "$ENV{CHEMCHAT_BIN}/chemchatctl", 'token',
			'--secret-file', "$tmp/key", '--user', $id{$who} ]);
	return ws_open($gateway->{port}, $token);
}

sub start_gateway
{
	my ($name, %more) = @_;
	my $port_file = "$tmp/$name.port";
	unlink $port_file;
	my $gateway = start_daemon('chemchat-gateway', $name, pg => $pg,
		jwt_secret_file => "$tmp/key", listen_port => 0,
		port_file => $port_file, %more);
	wait_until('the gateway listens', sub { -s $port_file }, 20);
	chomp($gateway->{port} = slurp_file($port_file));
	wait_until('the gateway is ready', sub { ready_reason($gateway) eq '' }, 20);
	return $gateway;
}

# An id of our own: the same name is the same message.
sub message_id { return sprintf '01930000-0000-7000-8000-%012x', shift; }

sub send_message
{
	my ($ws, $n, %more) = @_;
	ws_send($ws, { type => 'send', ref => "s$n", conversationId => $room,
			clientMsgId => message_id($n), body => "message $n", %more });
	return;
}

# What came of message n, waiting so long for it.
sub outcome
{
	my ($ws, $n, $seconds) = @_;
	return ws_expect($ws, $seconds, sub { ($_->{ref} // '') eq "s$n" });
}

sub said
{
	my ($answer) = @_;
	return 'nothing' if !defined $answer;
	return $answer->{type} eq 'error' ? $answer->{code} : $answer->{type};
}

# Asks every 20 ms for so long; the milliseconds each answer took, sorted.
sub pings
{
	my ($ws, $seconds) = @_;
	my $end = time + $seconds;
	my @took;
	while (time < $end)
	{
		my $began = time;
		my $ref = 'p' . @took;
		ws_send($ws, { type => 'ping', ref => $ref });
		my $pong = ws_expect($ws, 5, sub { ($_->{ref} // '') eq $ref });
		push @took, $pong ? (time - $began) * 1000 : 5000;
		sleep 0.02;
	}
	return sort { $a <=> $b } @took;
}

sub server_pids
{
	chomp(my $postmaster = (split /\n/,
			slurp_file($node->data_dir . '/postmaster.pid'))[0]);
	my ($children) = run_command([ 'pgrep', '-P', $postmaster ]);
	return ($postmaster, split /\n/, $children);
}

my $gateway = start_gateway('gateway');
my $alice = person($gateway, 'alice');
my $bob = person($gateway, 'bob');
send_message($alice, 1);
is(said(outcome($alice, 1, 10)), 'ok', 'it works');

# --- PostgreSQL is frozen

my @frozen = server_pids();
kill STOP => @frozen;
my $began = time;
send_message($alice, 2);
my @took = pings($bob, 0.3);
send_message($alice, 3);
push @took, pings($bob, 4);
my $first = outcome($alice, 2, 5);
my $took_s = time - $began;
my $second = outcome($alice, 3, 5);
@took = sort { $a <=> $b } @took;
my $p99 = $took[ int($#took * 0.99) ];
kill CONT => @frozen;

is(said($first), 'unknown_outcome', 'what the frozen server had is unknown');
cmp_ok($took_s, '<', 7, 'and that is said in time');
like(said($second), qr/^(unknown_outcome|unavailable)$/,
	'nor does the one behind it wait for ever');
cmp_ok($p99, '<=', 100, 'meanwhile pings are answered');
note(sprintf 'ping p99 %.1f ms of %d; the send was answered after %.1f s',
	$p99, scalar @took, $took_s);

wait_until('the server answers again', sub {
	send_message($alice, 2);
	return said(outcome($alice, 2, 10)) eq 'ok';
}, 60);
is(sql("SELECT count(*) FROM chemchat.message
	WHERE client_msg_id = '" . message_id(2) . "'"), 1,
	'what was unknown is there once');

# --- the connection dies with a send in it, and its sender is removed

my $others = "backend_type = 'client backend' AND pid <> pg_backend_pid()";
my @backends = split /\n/,
  sql("SELECT pid FROM pg_stat_activity WHERE $others");
cmp_ok(scalar @backends, '>=', 4, 'the gateway is connected');
kill STOP => @backends;
send_message($bob, 20);
wait_until('the send is on its way', sub {
	return metric($gateway, 'chemchat_gateway_db_waiting') > 0;
}, 4);
sql("SELECT chemchat.remove_member('$id{alice}', '$room', '$id{bob}')");
sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE $others");
kill CONT => @backends;
is(said(outcome($bob, 20, 10)), 'unknown_outcome',
	'what may have been written is not refused for what came after it');
sql("SELECT chemchat.add_member('$id{alice}', '$room', '$id{bob}')");

# --- its disk is full

# the other connections end a moment later, and one of them may get this send
my $answer;
wait_until('the gateway has new connections', sub {
	send_message($alice, 4, replyTo => 1000000);
	$answer = outcome($alice, 4, 10);
	return said($answer) ne 'unknown_outcome';
}, 20);
is(said($answer), 'not_found', 'an answer to nothing');
is($answer->{field}, 'replyTo', 'which says what is not there');
sql(q{CREATE FUNCTION disk_is_full() RETURNS trigger LANGUAGE plpgsql AS
	$$ BEGIN RAISE disk_full USING MESSAGE = 'no space left on device'; END $$;
	CREATE TRIGGER disk_is_full BEFORE INSERT ON chemchat.message
	FOR EACH ROW EXECUTE FUNCTION disk_is_full()});
send_message($alice, 5);
$answer = outcome($alice, 5, 10);
is(said($answer), 'storage_full', 'a full disk is said');
is($answer->{field}, undef, 'and no argument is to blame');
sql('DROP TRIGGER disk_is_full ON chemchat.message');
send_message($alice, 5);
is(said(outcome($alice, 5, 10)), 'ok', 'with room again it goes on');
is(stop_daemon($gateway), 0, 'the gateway ends with 0');

# --- descriptors run out

$gateway = start_gateway('few');
$alice = person($gateway, 'alice');
$bob = person($gateway, 'bob');
my @open = glob "/proc/$gateway->{pid}/fd/*";
my $limit = @open + 5;
run_command([ 'prlimit', '--pid', $gateway->{pid}, "--nofile=$limit:$limit" ]);
my @crowd = map { IO::Socket::INET->new(PeerAddr => '127.0.0.1',
		PeerPort => $gateway->{port}, Proto => 'tcp') } 1 .. 50;
is(scalar(grep { defined } @crowd), 50, 'a crowd waits at the door');
my $cpu_s = cpu_seconds($gateway->{pid});
@took = pings($bob, 3);
$cpu_s = cpu_seconds($gateway->{pid}) - $cpu_s;
cmp_ok($cpu_s, '<', 1, 'a door that cannot open does not spin');
cmp_ok($took[ int($#took * 0.99) ], '<=', 100, 'who is in does not notice');
send_message($alice, 6);
is(said(outcome($alice, 6, 10)), 'ok', 'nor who writes');
note(sprintf '%.2f s of CPU in 3 s, ping p99 %.1f ms', $cpu_s,
	$took[ int($#took * 0.99) ]);

close $_ foreach @crowd;
my $late;
wait_until('the door opens again', sub {
	$late = eval { person($gateway, 'alice') };
	return defined $late;
}, 30);
send_message($late, 7);
is(said(outcome($late, 7, 10)), 'ok', 'whoever comes later is let in');
cmp_ok(metric($gateway, 'chemchat_gateway_accept_pauses_total'), '>', 0,
	'the pauses are counted');
is(stop_daemon($gateway), 0, 'it ends with 0');

done_testing();
