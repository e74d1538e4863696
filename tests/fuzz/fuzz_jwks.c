/* uses: common/jwt common/base */
/* links: -ljansson -lcrypto -lsodium -lm */
/*
 * fuzz_jwks - key documents and PEM files from anybody
 *
 * The first byte chooses which.  Beyond not crashing: what is refused leaves
 * no key behind; what is taken has an algorithm that was asked for, a bounded
 * number of keys, and is no key for a signature of zeroes.
 */
#include "jwt_jwks.h"


#include "fuzz.h"
#include "jwt_public_key.h"
#include "jwt_signature.h"

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	static const char *const starts[] = {
		"\1{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"use\":\"sig\","
		"\"kid\":\"a\",\"alg\":\"ES256\","
		"\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\","
		"\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\"}]}",
		"\1{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"key_ops\":[\"verify\"],"
		"\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}",
		"\1{\"keys\":[{\"kty\":\"RSA\",\"e\":\"AQAB\",\"n\":\""
		"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-"
		"Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWv"
		"G6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsL"
		"A9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG"
		"4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2P"
		"AcDTW9gb54h4FRWyuXpoQ\"}]}",
		"\2-----BEGIN PUBLIC KEY-----\n"
		"MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\n"
		"-----END PUBLIC KEY-----\n",
	};

	(void) argc;
	(void) argv;
	for (size_t i = 0; i < sizeof starts / sizeof *starts; i++)
		fuzz_seed(i, starts[i], strlen(starts[i]));
	return 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	static const uint8_t zeroes[1024];
	static const size_t sizes[] = { 32, 64, 256, 512, 1024 };
	JwtKeys keys = { 0 };
	size_t skipped = 0;
	bool is_read;
	unsigned algs;
	Error err;

	if (len == 0)
		return 0;
	algs = (bytes[0] & 4) != 0 ? JWT_ALG_BIT(JWT_ES256) : JWT_ALGS_PUBLIC;
	if ((bytes[0] & 3) == 2)
	{
		algs = JWT_ALGS_PUBLIC;
		is_read = jwt_public_keys_pem(&keys, (const char *) bytes + 1, len - 1,
									  "k", &err);
	}
	else
	{
		is_read = jwt_jwks_read((const char *) bytes + 1, len - 1, algs, &keys,
								&skipped, &err);
		REQUIRE(is_read || keys.count == 0);
	}
	REQUIRE(keys.count <= JWT_MAX_KEYS);
	REQUIRE(!is_read || keys.count > 0);
	for (size_t i = 0; i < keys.count; i++)
	{
		const JwtKey *key = &keys.key[i];

		REQUIRE((algs & JWT_ALG_BIT(key->alg)) != 0);
		REQUIRE(key->public_key != NULL && key->secret_len == 0);
		for (size_t j = 0; j < sizeof sizes / sizeof *sizes; j++)
			REQUIRE(!jwt_signature_is_good(key, "a.b", 3, zeroes, sizes[j]));
	}
	jwt_keys_wipe(&keys);
	return 0;
}
