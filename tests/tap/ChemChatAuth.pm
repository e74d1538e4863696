# ChemChatAuth - requests with tokens, and an issuer of one's own
#
# Keys and signatures are the openssl program's: nothing here is our own code,
# so what the gateway accepts was made by somebody else.
package ChemChatAuth;

use strict;
use warnings FATAL => 'all';
use Carp;
use Exporter 'import';
use HTTP::Tiny;
use IO::Socket::INET;
use JSON::PP ();
use MIME::Base64 qw(encode_base64url);
use PostgreSQL::Test::Utils;

our @EXPORT = qw(rest status_of key_make key_jwk token_make issuer_start
  issuer_stop issuer_asked write_text);

# One request; its status, its JSON (undef when there is none), its headers.
sub rest
{
	my ($port, $method, $path, %more) = @_;
	my %headers = %{ $more{headers} // {} };
	$headers{'content-type'} = 'application/json' if defined $more{body};
	$headers{authorization} = "Bearer $more{token}" if defined $more{token};
	my $answer = HTTP::Tiny->new(timeout => 20)->request($method,
		"http://127.0.0.1:$port$path",
		{
			headers => \%headers,
			defined $more{body}
			? (content => JSON::PP::encode_json($more{body}))
			: ()
		});
	my $json = eval { JSON::PP::decode_json($answer->{content}) };
	return ($answer->{status}, $json, $answer->{headers});
}

# What a token is answered.
sub status_of
{
	my ($port, $token) = @_;
	my ($status) = rest($port, 'GET', '/v1/me', token => $token);
	return $status;
}

my %option = (
	RS256 => [qw(-algorithm RSA -pkeyopt rsa_keygen_bits:2048)],
	ES256 => [qw(-algorithm EC -pkeyopt ec_paramgen_curve:P-256)],
	EdDSA => [qw(-algorithm ED25519)]);

# A key pair in a file, of an algorithm.
sub key_make
{
	my ($file, $alg) = @_;
	run_command([ 'openssl', 'genpkey', @{ $option{$alg} }, '-out', $file ]);
	run_command([ 'openssl', 'pkey', '-in', $file, '-pubout', '-out', "$file.pub" ]);
	-s "$file.pub" or croak "openssl makes no key for $alg";
	return { file => $file, alg => $alg };
}

# Its public half (RFC 7517, 7518 6, 8037 2).
sub key_jwk
{
	my ($key, $kid) = @_;
	run_command([ 'openssl', 'pkey', '-in', $key->{file}, '-pubout',
			'-outform', 'DER', '-out', "$key->{file}.der" ]);
	my $der = slurp_file("$key->{file}.der");
	my %jwk = (kid => $kid, use => 'sig', alg => $key->{alg});
	if ($key->{alg} eq 'RS256')
	{
		my ($text) = run_command([ 'openssl', 'rsa', '-in', "$key->{file}.pub",
				'-pubin', '-noout', '-modulus' ]);
		my ($hex) = $text =~ /Modulus=([0-9A-F]+)/;
		return { %jwk, kty => 'RSA', e => 'AQAB',
			n => encode_base64url(pack 'H*', $hex) };
	}
	return { %jwk, kty => 'EC', crv => 'P-256',
		x => encode_base64url(substr $der, -64, 32),
		y => encode_base64url(substr $der, -32) }
	  if $key->{alg} eq 'ES256';
	return { %jwk, kty => 'OKP', crv => 'Ed25519',
		x => encode_base64url(substr $der, -32) };
}

# A token of these claims, signed by the pair.
sub token_make
{
	my ($key, $kid, $claims, %header) = @_;
	my $text = join '.', map { encode_base64url(JSON::PP::encode_json($_)) } (
		{ alg => $key->{alg}, typ => 'JWT', defined $kid ? (kid => $kid) : (),
			%header }, $claims);
	write_text("$key->{file}.text", $text);
	run_command([ 'openssl', 'pkeyutl', '-sign', '-inkey', $key->{file},
			'-rawin', '-in', "$key->{file}.text", '-out', "$key->{file}.sig",
			$key->{alg} eq 'EdDSA' ? () : ('-digest', 'sha256') ]);
	my $signature = slurp_file("$key->{file}.sig");
	$signature = raw_of($signature) if $key->{alg} eq 'ES256';
	return "$text." . encode_base64url($signature);
}

# ASN.1's two integers as 32 bytes each.
sub raw_of
{
	my ($der) = @_;
	my @numbers;
	my $at = 2;
	for (1 .. 2)
	{
		my $len = unpack 'x C', substr $der, $at;
		my $number = substr $der, $at + 2, $len;
		$number =~ s/^\0+//;
		push @numbers, ("\0" x (32 - length $number)) . $number;
		$at += 2 + $len;
	}
	return join '', @numbers;
}

# A web server for one document, which is read anew each time; every request
# leaves a line in FILE.asked.
sub issuer_start
{
	my ($file, $port) = @_;
	my $listener = IO::Socket::INET->new(Listen => 20, Proto => 'tcp',
		LocalAddr => '127.0.0.1', LocalPort => $port // 0, ReuseAddr => 1)
	  or croak "listen: $!";
	my $pid = fork // croak "fork: $!";
	if ($pid == 0)
	{
		serve($listener, $file) while 1;
	}
	my $issuer = { pid => $pid, port => $listener->sockport, file => $file };
	close $listener;
	return $issuer;
}

sub serve
{
	my ($listener, $file) = @_;
	my $client = $listener->accept or return;
	my $head = '';
	while ($head !~ /\r\n\r\n/)
	{
		sysread $client, $head, 4096, length $head or return;
	}
	open my $asked, '>>', "$file.asked";
	print $asked "asked\n";
	close $asked;
	my $body = slurp_file($file);
	print $client "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
	  . "Cache-Control: max-age=3600\r\nContent-Length: " . length($body)
	  . "\r\nConnection: close\r\n\r\n$body";
	close $client;
	return;
}

sub issuer_stop
{
	my ($issuer) = @_;
	kill 'KILL', $issuer->{pid};
	waitpid $issuer->{pid}, 0;
	return;
}

sub issuer_asked
{
	my ($issuer) = @_;
	return 0 if !-e "$issuer->{file}.asked";
	return scalar split /\n/, slurp_file("$issuer->{file}.asked");
}

# Whole or not at all, mode 0600.
sub write_text
{
	my ($file, $text) = @_;
	open my $out, '>', "$file.new" or croak "$file: $!";
	print $out $text;
	close $out or croak "$file: $!";
	chmod 0600, "$file.new";
	rename "$file.new", $file or croak "$file: $!";
	return;
}

1;
