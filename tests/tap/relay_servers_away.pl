# S6, S8: Kafka away under load, PostgreSQL killed and restarted under load.
# The WAL holds what is not delivered, the relay's memory stays bounded, the
# walsender never times out, and a server that shuts down does not wait for us.
use strict;
use warnings FATAL => 'all';
use Test::More;
use Time::HiRes qw(sleep time);
use PostgreSQL::Test::Utils;
use ChemChat;
use ChemChatKafka;

my $away_s = $ENV{CHEMCHAT_TEST_AWAY_S} // 20;
my $node = start_server('away', 'wal_sender_timeout = 3s');
my $kafka = kafka_start();
make_conversations($node, 64);
my $relay = relay_start($node, $kafka);
relay_is_streaming($relay);
relay_wait_drained($node);

# --- Kafka is killed and stays away
my $load = load_start($node, 500);
sleep 2;
kafka_kill($kafka);
sleep $away_s / 2;
send_many($node, 20000, 100); # more than what may be in flight
sleep $away_s / 2;
my $pending = $node->safe_psql('postgres',
	'SELECT events, state FROM chemchat.outbox_status()');
my ($events, $state) = split /\|/, $pending;
cmp_ok($events, '>', 20000, 'the outbox tells what waits');
is($state, 'streaming', 'the relay is connected all the while');
is($node->safe_psql('postgres', 'SELECT count(*) FROM pg_stat_replication'), 1,
	'one walsender');
cmp_ok(rss_peak_kb($relay->{pid}), '<', 64 * 1024, 'memory stays bounded');
note 'peak RSS ' . rss_peak_kb($relay->{pid}) . ' kB';

my $began = time;
kafka_start($kafka);
my $back = time;
load_end($load); # only then is there a moment with nothing pending
relay_wait_drained($node);
note sprintf 'Kafka started in %.1f s, drained %.1f s later', $back - $began,
  time - $back;
is_whole($node, $kafka, "Kafka away for $away_s s");
unlike(slurp_file($node->logfile), qr/terminating walsender process due to replication timeout/,
	'the walsender never timed out');
# a fatal producer error is a way on, and then the stream begins again
note join ' ', 'streams begun:', scalar(() = relay_log($relay) =~ /msg="stream started"/g);

# --- PostgreSQL is killed, and restarted in each way
foreach my $mode (qw(immediate fast kill9))
{
	$load = load_start($node, 300);
	sleep 1;
	$began = time;
	if ($mode eq 'kill9')
	{
		my $pid = (split /\n/, slurp_file($node->data_dir . '/postmaster.pid'))[0];
		kill KILL => $pid;
		$node->{_pid} = undef;
		wait_until('the old postmaster is gone', sub { !kill 0 => $pid });
	}
	else
	{
		$node->stop($mode);
		# a fast stop waits for walsenders: ours must let go
		cmp_ok(time - $began, '<', 2.5, "stop in mode $mode is quick")
		  if $mode eq 'fast';
		note sprintf 'stop in mode %s took %.2f s', $mode, time - $began;
	}
	load_end($load);
	# children of a killed postmaster take a moment to leave shared memory
	wait_until('the server starts', sub { $node->start(fail_ok => 1) }, 30);
	$began = time;
	wait_until('the relay streams again', sub {
		$node->safe_psql('postgres',
			'SELECT count(*) FROM pg_stat_replication') == 1
	}, 10);
	note sprintf 'streaming again after %.2f s', time - $began;
	send_many($node, 500, 5);
	relay_wait_drained($node);
	is_whole($node, $kafka, "PostgreSQL stopped by $mode");
}

# --- only the walsender, only the ordinary connection
foreach my $which (
	"SELECT pg_terminate_backend(pid) FROM pg_stat_replication",
	"SELECT pg_terminate_backend(pid) FROM pg_stat_activity
	  WHERE application_name = 'chemchat-relay' AND backend_type = 'client backend'")
{
	$node->safe_psql('postgres', $which);
	send_many($node, 500, 5);
	relay_wait_drained($node);
}
is_whole($node, $kafka, 'connections ended by an administrator');

# --- a Kafka that is stopped cleanly and comes back
kafka_stop($kafka);
send_many($node, 500, 5);
kafka_start($kafka);
relay_wait_drained($node);
is_whole($node, $kafka, 'Kafka restarted');
is(relay_stop($relay), 'exit 0', 'drained');

done_testing();
