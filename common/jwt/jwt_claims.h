/*
 * jwt_claims - the JSON halves of a token, judged
 *
 * Pure.  Neither knows a signature: jwt_header_read runs before it is
 * checked, jwt_claims_read after.
 */
#ifndef CHEMCHAT_JWT_CLAIMS_H
#define CHEMCHAT_JWT_CLAIMS_H

#include "jwt.h"

typedef struct JwtHeader
{
	char alg[16];
	char kid[JWT_MAX_KID + 1];
	bool has_kid;
} JwtHeader;

JwtReason jwt_header_read(const char *json, size_t len,
						  JwtHeader *header) MUST_CHECK;

JwtReason jwt_claims_read(const char *json, size_t len, const JwtExpect *expect,
						  JwtClaims *claims) MUST_CHECK;

/* sub, jti and exp as they stand there, unjudged. */
bool jwt_claims_peek(const char *json, size_t len,
					 JwtClaims *claims) MUST_CHECK;

#endif
