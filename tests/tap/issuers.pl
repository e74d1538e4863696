# Others' tokens: keys from a file and from a URL, each issuer for itself, keys
# that change while the gateway runs, and an issuer that is away.
use strict;
use warnings FATAL => 'all';
use JSON::PP ();
use Test::More;
use Time::HiRes qw(sleep time);
use PostgreSQL::Test::Utils;
use ChemChat;
use ChemChatAuth;
use ChemChatLive;

my $node = start_server('issuers', 'max_connections = 50');
my $pg = $node->connstr('postgres') . ' user=' . scalar getpwuid($<);
my $tmp = $PostgreSQL::Test::Utils::tmp_check;

sub sql { return $node->safe_psql('postgres', shift); }

my $alice = sql("SELECT id FROM chemchat.create_user('alice')");
my $bob = sql("SELECT id FROM chemchat.create_user('bob')");

my %key = map { $_ => key_make("$tmp/$_", $_) } qw(RS256 ES256 EdDSA);
my $next = key_make("$tmp/next", 'RS256');
my $filed = key_make("$tmp/filed", 'ES256');
chmod 0644, "$tmp/filed.pub";

sub publish
{
	my (@keys) = @_;
	write_text("$tmp/jwks.json", JSON::PP::encode_json({ keys => \@keys }));
	return;
}
publish((map { key_jwk($key{$_}, "k-$_") } qw(RS256 ES256 EdDSA)),
	{ kty => 'oct', kid => 'secret', k => 'AAAA' });
my $issuer = issuer_start("$tmp/jwks.json");
write_text("$tmp/issuers.json", JSON::PP::encode_json({ issuers => [
			{ issuer => 'https://id.example/', audience => 'chemchat',
				jwks_url => "http://127.0.0.1:$issuer->{port}/jwks" },
			{ issuer => 'https://files.example/', audience => 'chemchat',
				key_files => ['filed.pub'], algorithms => ['ES256'],
				handle_claim => 'preferred_username' } ] }));

my $gateway;
sub start_gateway
{
	my ($name) = @_;
	my $port_file = "$tmp/$name.port";
	unlink $port_file;
	$gateway = start_daemon('chemchat-gateway', $name, pg => $pg,
		issuers_file => "$tmp/issuers.json", listen_port => 0,
		port_file => $port_file);
	wait_until('the gateway listens', sub { -s $port_file }, 20);
	chomp($gateway->{port} = slurp_file($port_file));
	wait_until('the gateway is ready', sub { ready_reason($gateway) eq '' }, 20);
	return;
}

my %good = (iss => 'https://id.example/', aud => 'chemchat', sub => $alice,
	exp => time + 600);

sub judged
{
	my ($key, $kid, $claims, %header) = @_;
	return status_of($gateway->{port},
		token_make($key, $kid, { %good, %{ $claims // {} } }, %header));
}

start_gateway('gateway');
is judged($key{$_}, "k-$_"), 200, "a token signed by $_ is good"
  for qw(RS256 ES256 EdDSA);

# --- the keys change

my $asked = issuer_asked($issuer);
is $asked, 1, 'the keys were asked for once';
publish(map { key_jwk(@$_) } [ $key{RS256}, 'k-RS256' ], [ $next, 'k-next' ]);
is judged($next, 'k-next'), 200, 'a new key is known as soon as it is used'
  or diag slurp_file($gateway->{log});
is issuer_asked($issuer), $asked + 1, 'by asking once more';
is judged($key{ES256}, 'k-ES256'), 401, 'one that was taken out is not';
is judged($key{RS256}, 'k-RS256'), 200, 'one that stayed is';
is judged($next, "k-made-up-$_"), 401, 'made-up names' for 1 .. 5;
is issuer_asked($issuer), $asked + 1, 'make nobody ask again so soon';

# --- one row of FAULTS.md each

is judged($key{RS256}, 'k-next'), 401, 'not under another key\'s name';
is judged($key{RS256}, 'k-RS256', {}, alg => 'none'), 401, 'not as none';
is judged($key{RS256}, 'k-RS256', {}, alg => 'HS256'), 401, 'not as HS256';
is judged($key{RS256}, '../../etc/passwd'), 401, 'not with a path for a name';
is judged($key{RS256}, 'k-RS256', {}, $_ => 'https://evil.example/'), 401,
  "not with $_"
  for qw(jku x5u jwk crit);
is judged($key{RS256}, 'k-RS256', { exp => time - 60 }), 401, 'not late';
is judged($key{RS256}, 'k-RS256', { exp => undef }), 401, 'not without an end';
is judged($key{RS256}, 'k-RS256', { nbf => time + 60 }), 401, 'not early';
is judged($key{RS256}, 'k-RS256', { aud => 'shop' }), 401, 'not for others';
is judged($key{RS256}, 'k-RS256', { iss => 'https://files.example/' }), 401,
  'not in another issuer\'s name';
is judged($key{RS256}, 'k-RS256', { sub => 'alice' }), 401,
  'not without an id of ours';
is status_of($gateway->{port}, 'a' x 100_000), 431, 'not 100 KB';
is status_of($gateway->{port}, 'x.y.z'), 401, 'nor what is no token';

# --- by handle

my %named = (iss => 'https://files.example/', preferred_username => 'bob');
my $token = token_make($filed, undef, { %good, %named, sub => 'f:1:bob' });
my ($status, $me) = rest($gateway->{port}, 'GET', '/v1/me', token => $token);
is $status, 200, 'a handle names the user';
like JSON::PP::encode_json($me), qr/\Q$bob\E/, 'that one';
is judged($filed, undef, { %named, preferred_username => 'nobody' }), 401,
  'one who is not there is not let in';
is sql("SELECT count(*) FROM chemchat.accounts()"), 2, 'nor made';
is judged($filed, undef, { iss => 'https://files.example/' }), 401,
  'nor one without a handle';

# --- the issuer is away

issuer_stop($issuer);
is judged($next, 'k-next'), 200, 'its keys are good while it is away';
is stop_daemon($gateway), 0, 'the gateway stops';
start_gateway('again');
is judged($next, 'k-next'), 503, 'who never heard them cannot tell';
is judged($filed, undef, \%named), 200, 'which is no matter for other issuers';
$issuer = issuer_start("$tmp/jwks.json", $issuer->{port});
wait_until('the issuer is heard', sub { judged($next, 'k-next') == 200 }, 20);
ok 1, 'it is heard when it is back';
is stop_daemon($gateway), 0, 'the gateway stops with it';
issuer_stop($issuer);

# --- an issuer that never answers does not hold a stop up

my $silent = IO::Socket::INET->new(Listen => 5, LocalAddr => '127.0.0.1',
	Proto => 'tcp');
write_text("$tmp/issuers.json", JSON::PP::encode_json({ issuers => [
			{ issuer => 'https://id.example/', audience => 'chemchat',
				jwks_url => 'http://127.0.0.1:' . $silent->sockport . '/' } ] }));
start_gateway('silent');
my $began = time;
is stop_daemon($gateway), 0, 'a gateway that waits for keys stops';
ok time - $began < 4, 'soon';

unlike slurp_file($gateway->{log}), qr/eyJ/, 'no token is in a log';

done_testing();
