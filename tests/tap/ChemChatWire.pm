# ChemChatWire - a network with faults, and people who chat over it
#
# Lines are addresses behind tests/tap/wire: the same servers of 10.9.0.1, each
# line with faults of its own.
package ChemChatWire;

use strict;
use warnings FATAL => 'all';
use Carp;
use Exporter 'import';
use POSIX ();
use Test::More;
use Time::HiRes qw(sleep time);

use PostgreSQL::Test::Utils;
use ChemChatLive;

our @EXPORT = qw(has_wire line wire writer_start reader_start child_end
  child_said message_id said kafka_settings);

my @children;

END
{
	my $status = $?;
	foreach my $pid (@children)
	{
		kill KILL => $pid;
		waitpid $pid, 0;
	}
	$? = $status;
}

sub has_wire { return $ENV{CHEMCHAT_WIRE} ? 1 : 0; }

sub line { return '10.9.0.' . shift; }

# What happens from now on: line number => 'drop' and so on; none: all is well.
sub wire
{
	my (%rules) = @_;
	open(my $out, '>', "$ENV{CHEMCHAT_WIRE}.new") or croak "rules: $!";
	print $out "$_ $rules{$_}\n" foreach sort keys %rules;
	close $out;
	rename "$ENV{CHEMCHAT_WIRE}.new", $ENV{CHEMCHAT_WIRE} or croak "rename: $!";
	sleep 0.03;
	return;
}

# Kafka's settings for a second listener, reached by a line.
sub kafka_settings
{
	my ($line, $port, $controller_port, $wire_port) = @_;
	return "listeners=PLAINTEXT://127.0.0.1:$port,"
	  . "CONTROLLER://127.0.0.1:$controller_port,WIRE://10.9.0.1:$wire_port\n"
	  . "advertised.listeners=PLAINTEXT://127.0.0.1:$port,WIRE://"
	  . line($line) . ":$wire_port\n"
	  . "listener.security.protocol.map=PLAINTEXT:PLAINTEXT,"
	  . "CONTROLLER:PLAINTEXT,WIRE:PLAINTEXT\n"
	  . "inter.broker.listener.name=PLAINTEXT\n";
}

# --- people, each a process with a log: one line for each thing that happened

sub start_person
{
	my ($name, $code) = @_;
	my $log = "${PostgreSQL::Test::Utils::log_path}/$name.said";
	my $pid = fork // croak "fork: $!";
	if ($pid == 0)
	{
		@children = ();
		open my $out, '>', $log or POSIX::_exit(1);
		$out->autoflush(1);
		my $is_over = 0;
		local $SIG{TERM} = sub { $is_over = 1 };
		eval { $code->($out, \$is_over) };
		print $out "died $@\n" if $@;
		POSIX::_exit(0);
	}
	push @children, $pid;
	return { pid => $pid, log => $log };
}

# Lines split into words.
sub child_said
{
	my ($child) = @_;
	return map { [ split ' ' ] } split /\n/, slurp_file($child->{log});
}

sub child_end
{
	my ($child) = @_;
	kill TERM => $child->{pid};
	waitpid $child->{pid}, 0;
	@children = grep { $_ != $child->{pid} } @children;
	return;
}

# An id of our own: the same number is the same message.
sub message_id { return sprintf '01930000-0000-7000-8000-%012x', shift; }

# Says one message after the other; what is unknown or refused for a while is
# sent again under its id.  Lines: answer N CODE SECONDS WHEN.
sub writer_start
{
	my ($name, $room, $first, $open) = @_;
	return start_person($name, sub {
		my ($out, $is_over) = @_;
		my $ws = $open->();
		for (my $n = $first; !$$is_over; $n++)
		{
			my $code = '';
			while ($code ne 'ok')
			{
				my $began = time;
				ws_send($ws, { type => 'send', ref => "s$n-$began",
						conversationId => $room, clientMsgId => message_id($n),
						body => "message $n" });
				my $answer = ws_expect($ws, 20,
					sub { ($_->{ref} // '') eq "s$n-$began" });
				$code = said($answer);
				printf $out "answer %d %s %.3f %.3f\n", $n, $code,
				  time - $began, time;
				last if $code !~ /^(ok|unknown_outcome|unavailable|busy)$/;
				sleep 0.06;
			}
		}
	});
}

sub said
{
	my ($answer) = @_;
	return 'nothing' if !defined $answer;
	return $answer->{type} eq 'error' ? $answer->{code} : $answer->{type};
}

# Hears what is said in a room.  Lines: heard EV BODY-WITHOUT-SPACES WHEN, or
# the type of another frame.
sub reader_start
{
	my ($name, $room, $open) = @_;
	return start_person($name, sub {
		my ($out, $is_over) = @_;
		my $ws = $open->();
		while (!$$is_over)
		{
			my $frame = ws_next($ws, 0.2) // next;
			if ($frame->{type} ne 'events' || $frame->{conversationId} ne $room)
			{
				print $out "frame $frame->{type}\n";
				next;
			}
			foreach my $event (@{ $frame->{events} })
			{
				(my $body = $event->{body} // '-') =~ s/\s+/_/g;
				printf $out "heard %d %s %.3f\n", $event->{ev}, $body, time;
			}
		}
	});
}

1;
