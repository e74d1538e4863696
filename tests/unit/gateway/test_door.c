/* uses: gateway common/base */
/* pkgs: libuv openssl */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <sys/stat.h>

#include "door_scene.h"

#define GET(path) "GET " path " HTTP/1.1\r\nHost: a\r\n\r\n"
#define UPGRADE                                                                \
	"GET /v1/ws HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n"                 \
	"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"                     \
	"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"                          \
	"Sec-WebSocket-Protocol: chemchat.v1.json\r\n"

static void
an_upgrade_is_handed_on(void **state)
{
	Scene *scene = *state;
	Peer *peer;

	scene_open(scene);
	peer = peer_new(scene);
	peer_say(scene, peer,
			 UPGRADE "Authorization: Bearer x.y.z\r\n"
					 "Origin: http://a\r\n\r\n");
	for (int i = 0; i < 1000 && scene->upgrades == 0; i++)
		scene_turn(scene);
	assert_int_equal(scene->upgrades, 1);
	assert_string_equal(scene->token, "x.y.z");
	assert_string_equal(scene->key, "dGhlIHNhbXBsZSBub25jZQ==");
	assert_int_equal(http_server_count(door_http(scene->door)), 0);
	peer_free(&peer);
}

static void
what_is_no_upgrade_of_ours_is_refused(void **state)
{
	static const struct
	{
		const char *said;
		const char *status;
	} cases[] = {
		{ UPGRADE "Origin: https://evil.example\r\n\r\n", "403" },
		{ UPGRADE "Origin: null\r\n\r\n", "403" },
		{ UPGRADE "\r\n\x81", "400" },
		{ GET("/v1/ws"), "426" },
		{ "POST /v1/ws HTTP/1.1\r\nHost: a\r\n\r\n", "426" },
	};
	Scene *scene = *state;
	char answer[32];
	Peer *peer;

	scene_open(scene);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		peer = peer_new(scene);
		peer_say(scene, peer, cases[i].said);
		(void) snprintf(answer, sizeof(answer), "HTTP/1.1 %s ",
						cases[i].status);
		peer_expect(scene, peer, answer);
		peer_free(&peer);
	}
	scene->is_full = true;
	peer = peer_new(scene);
	peer_say(scene, peer, UPGRADE "\r\n");
	peer_expect(scene, peer, "HTTP/1.1 503 ");
	peer_expect(scene, peer, "Retry-After: 1\r\n");
	peer_expect_end(scene, peer);
	peer_free(&peer);
	assert_int_equal(scene->upgrades, 0);
}

static void
an_address_has_so_many_connections(void **state)
{
	Scene *scene = *state;
	Peer *peers[3];

	scene->config.address_connections = 2;
	scene_open(scene);
	for (int i = 0; i < 3; i++)
		peers[i] = peer_new(scene);
	peer_expect_end(scene, peers[2]);
	assert_int_equal(door_counts(scene->door)->crowded, 1);
	peer_free(&peers[0]);
	for (int i = 0; i < 20; i++)
		scene_turn(scene);
	peer_free(&peers[2]);
	peers[2] = peer_new(scene);
	peer_say(scene, peers[2], GET("/none"));
	peer_expect(scene, peers[2], "HTTP/1.1 404 ");

	/* One that became a WebSocket still counts. */
	peer_say(scene, peers[1], UPGRADE "\r\n");
	for (int i = 0; i < 1000 && scene->upgrades == 0; i++)
		scene_turn(scene);
	peers[0] = peer_new(scene);
	peer_expect_end(scene, peers[0]);
	conn_free(&scene->upgraded);
	peer_free(&peers[0]);
	peers[0] = peer_new(scene);
	peer_expect_nothing(scene, peers[0]);
	for (int i = 0; i < 3; i++)
		peer_free(&peers[i]);
}

static void
an_address_has_so_many_requests(void **state)
{
	Scene *scene = *state;
	Peer *peer;

	scene->config.address_requests = (RateRule){ 1, 2 };
	scene_open(scene);
	peer = peer_new(scene);
	peer_say(scene, peer, GET("/none") GET("/none") GET("/none"));
	peer_expect(scene, peer, "HTTP/1.1 404 ");
	peer_expect(scene, peer, "HTTP/1.1 404 ");
	peer_expect(scene, peer, "HTTP/1.1 429 ");
	peer_expect(scene, peer, "Retry-After: 1\r\n");
	peer_expect(scene, peer, "\"retryAfterMs\":1000}\n");
	scene->now_us += 1000000;
	clock_set(scene->now_us, scene->now_us);
	peer_say(scene, peer, GET("/none"));
	peer_expect(scene, peer, "HTTP/1.1 404 ");
	peer_free(&peer);
}

static void
only_trusted_proxies_are_believed(void **state)
{
	Scene *scene = *state;
	Peer *peer;

	scene->config.trusted_proxies = "127.0.0.0/8, 10.0.0.0/8";
	scene->config.address_requests = (RateRule){ 1, 1 };
	scene_open(scene);
	peer = peer_new(scene);
	peer_say(scene, peer,
			 "GET /v1/a HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: "
			 "198.51.100.9, 192.0.2.1, 10.1.2.3\r\n\r\n");
	assert_string_equal(http_request_peer(scene_await(scene, 1)), "192.0.2.1");
	scene_answer(scene, 0, 200, "");

	/* The client's bucket, not the proxy's. */
	peer_say(scene, peer,
			 "GET /v1/a HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 192.0.2.1\r\n"
			 "\r\n");
	peer_expect(scene, peer, "HTTP/1.1 429 ");
	peer_say(scene, peer,
			 "GET /v1/a HTTP/1.1\r\nHost: a\r\n"
			 "X-Forwarded-For: 2001:db8::1\r\n\r\n");
	assert_string_equal(http_request_peer(scene_await(scene, 2)),
						"2001:db8::1");
	peer_free(&peer);
}

static void
nobody_else_says_who_it_is(void **state)
{
	Scene *scene = *state;
	Peer *peer;

	scene->config.trusted_proxies = "10.0.0.0/8";
	scene->config.has_proxy_header = true;
	scene_open(scene);
	peer = peer_new(scene);
	peer_say(scene, peer,
			 "GET /v1/a HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 192.0.2.1\r\n"
			 "\r\n");
	assert_string_equal(http_request_peer(scene_await(scene, 1)), "127.0.0.1");
	peer_free(&peer);
	peer = peer_new(scene);
	peer_say(scene, peer, "PROXY TCP4 192.0.2.7 192.0.2.8 1 2\r\n" GET("/"));
	peer_expect(scene, peer, "HTTP/1.1 501 "); /* a method nobody knows */
	peer_free(&peer);
}

static void
a_proxy_header_names_the_client(void **state)
{
	static const char binary[] = "\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0f"
								 "\xc0\0\x02\x09\x7f\0\0\1\0\1\0\2\4\0\0";
	Scene *scene = *state;
	Peer *peer;

	scene->config.trusted_proxies = "127.0.0.1";
	scene->config.has_proxy_header = true;
	scene->config.address_connections = 1;
	scene_open(scene);
	peer = peer_new(scene);
	peer_say(scene, peer, "PROXY TCP4 192.0.2.7 192.0.2.8");
	peer_say(scene, peer, " 1 2\r\nGET /v1/a HTTP/1.1\r\nHost: a\r\n\r\n");
	assert_string_equal(http_request_peer(scene_await(scene, 1)), "192.0.2.7");

	/* It has one connection; another address has its own. */
	peer_free(&peer);
	peer = peer_new(scene);
	peer_write(scene, peer, binary, sizeof(binary) - 1);
	peer_say(scene, peer, GET("/v1/b"));
	assert_string_equal(http_request_peer(scene_await(scene, 2)), "192.0.2.9");
	{
		Peer *second = peer_new(scene);

		peer_write(scene, second, binary, sizeof(binary) - 1);
		peer_expect_end(scene, second);
		peer_free(&second);
	}
	peer_free(&peer);

	/* Without one, or with a bad one, nobody comes in. */
	peer = peer_new(scene);
	peer_say(scene, peer, GET("/v1/c"));
	peer_expect_end(scene, peer);
	peer_free(&peer);
	peer = peer_new(scene);
	peer_say(scene, peer, "PROXY TCP4 192.0.2.7");
	scene_pass(scene, DOOR_PROXY_MS + 500);
	peer_expect_end(scene, peer);
	peer_free(&peer);
	assert_int_equal(scene->request_count, 2);
	assert_int_equal(door_counts(scene->door)->bad_proxy, 1);
}

/* ---- TLS ---- */

static void
write_certificate(const char *folder, const char *name)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *cert = X509_new();
	char path[256];
	FILE *file;

	assert_non_null(key);
	X509_set_version(cert, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(cert), 1);
	X509_gmtime_adj(X509_getm_notBefore(cert), 0);
	X509_gmtime_adj(X509_getm_notAfter(cert), 3600);
	X509_set_pubkey(cert, key);
	X509_NAME_add_entry_by_txt(X509_get_subject_name(cert), "CN", MBSTRING_ASC,
							   (const unsigned char *) name, -1, -1, 0);
	X509_set_issuer_name(cert, X509_get_subject_name(cert));
	assert_true(X509_sign(cert, key, EVP_sha256()) > 0);
	(void) snprintf(path, sizeof(path), "%s/cert", folder);
	file = fopen(path, "we");
	assert_non_null(file);
	PEM_write_X509(file, cert);
	(void) fclose(file);
	(void) snprintf(path, sizeof(path), "%s/key", folder);
	file = fopen(path, "we");
	assert_non_null(file);
	PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL);
	(void) fclose(file);
	X509_free(cert);
	EVP_PKEY_free(key);
}

/* NULL when the handshake fails. */
static SSL *
shake_hands(Scene *scene, SSL_CTX *context, Peer *peer)
{
	SSL *ssl = SSL_new(context);

	SSL_set_fd(ssl, peer->fd);
	assert_true(fcntl(peer->fd, F_SETFL, O_NONBLOCK) == 0);
	for (int i = 0; i < 2000; i++)
	{
		int result = SSL_connect(ssl);

		if (result == 1)
			return ssl;
		if (SSL_get_error(ssl, result) != SSL_ERROR_WANT_READ &&
			SSL_get_error(ssl, result) != SSL_ERROR_WANT_WRITE)
			break;
		scene_turn(scene);
	}
	SSL_free(ssl);
	return NULL;
}

static void
tls_expect(Scene *scene, SSL *ssl, const char *text)
{
	char in[8192];
	size_t len = 0;

	for (int i = 0; i < 2000; i++)
	{
		int got = SSL_read(ssl, in + len, (int) (sizeof(in) - len));

		if (got > 0)
			len += (size_t) got;
		if (memmem(in, len, text, strlen(text)) != NULL)
			return;
		scene_turn(scene);
	}
	fail_msg("no %s", text);
}

static void
expect_name(SSL *ssl, const char *name)
{
	X509 *cert = SSL_get1_peer_certificate(ssl);
	char text[64];

	assert_non_null(cert);
	X509_NAME_get_text_by_NID(X509_get_subject_name(cert), NID_commonName, text,
							  sizeof(text));
	assert_string_equal(text, name);
	X509_free(cert);
}

static void
look_at_certificate(Scene *scene)
{
	scene->now_us += 20000000;
	clock_set(scene->now_us, scene->now_us);
	door_tick(scene->door);
}

static void
tls_is_spoken_and_its_certificate_renewed(void **state)
{
	static const unsigned char h2[] = "\x02h2";
	static const unsigned char both[] = "\x02h2\x08http/1.1";
	Scene *scene = *state;
	SSL_CTX *context = SSL_CTX_new(TLS_client_method());
	char folder[] = "/tmp/chemchat-test-XXXXXX";
	char cert[64];
	char key[64];
	char kept[64];
	Peer *peer;
	Peer *other;
	SSL *ssl;
	SSL *next;

	assert_non_null(mkdtemp(folder));
	(void) snprintf(cert, sizeof(cert), "%s/cert", folder);
	(void) snprintf(key, sizeof(key), "%s/key", folder);
	(void) snprintf(kept, sizeof(kept), "%s/kept", folder);
	write_certificate(folder, "first");
	scene->config.tls_cert_file = cert;
	scene->config.tls_key_file = key;
	scene_open(scene);

	SSL_CTX_set_alpn_protos(context, both, sizeof(both) - 1);
	peer = peer_new(scene);
	ssl = shake_hands(scene, context, peer);
	assert_non_null(ssl);
	expect_name(ssl, "first");
	assert_int_equal(SSL_write(ssl, GET("/v1/a"), sizeof(GET("/v1/a")) - 1),
					 sizeof(GET("/v1/a")) - 1);
	(void) scene_await(scene, 1);
	scene_answer(scene, 0, 200, "inside");
	tls_expect(scene, ssl, "\r\n\r\ninside");

	/* A pair that does not fit is not taken; a good one is. */
	write_certificate(folder, "second");
	assert_int_equal(rename(key, kept), 0);
	write_certificate(folder, "third");
	assert_int_equal(rename(kept, key), 0);
	look_at_certificate(scene);
	assert_int_equal(door_counts(scene->door)->certificates, 0);
	other = peer_new(scene);
	next = shake_hands(scene, context, other);
	assert_non_null(next);
	expect_name(next, "first");
	SSL_free(next);
	peer_free(&other);
	write_certificate(folder, "fourth");
	look_at_certificate(scene);
	assert_int_equal(door_counts(scene->door)->certificates, 1);
	other = peer_new(scene);
	next = shake_hands(scene, context, other);
	assert_non_null(next);
	expect_name(next, "fourth");
	SSL_free(next);
	peer_free(&other);

	/* What is no TLS, too old, or only HTTP/2, is not spoken to. */
	other = peer_new(scene);
	peer_say(scene, other, GET("/"));
	peer_expect_end(scene, other);
	peer_free(&other);
	SSL_CTX_set_alpn_protos(context, h2, sizeof(h2) - 1);
	other = peer_new(scene);
	assert_null(shake_hands(scene, context, other));
	peer_free(&other);
	SSL_CTX_set_alpn_protos(context, NULL, 0);
	SSL_CTX_set_max_proto_version(context, TLS1_1_VERSION);
	other = peer_new(scene);
	assert_null(shake_hands(scene, context, other));
	peer_free(&other);

	SSL_free(ssl);
	peer_free(&peer);
	SSL_CTX_free(context);
	(void) unlink(cert);
	(void) unlink(key);
	(void) rmdir(folder);
}

int
main(void)
{
#define SCENE(test)                                                            \
	cmocka_unit_test_setup_teardown(test, scene_begin, scene_end)
	const struct CMUnitTest tests[] = {
		SCENE(an_upgrade_is_handed_on),
		SCENE(what_is_no_upgrade_of_ours_is_refused),
		SCENE(an_address_has_so_many_connections),
		SCENE(an_address_has_so_many_requests),
		SCENE(only_trusted_proxies_are_believed),
		SCENE(nobody_else_says_who_it_is),
		SCENE(a_proxy_header_names_the_client),
		SCENE(tls_is_spoken_and_its_certificate_renewed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
