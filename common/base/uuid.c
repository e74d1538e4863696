#include "uuid.h"

#include "hex.h"

/* Where each byte's two digits stand in the text. */
static const uint8_t digit_at[16] = { 0,  2,  4,  6,  9,  11, 14, 16,
									  19, 21, 24, 26, 28, 30, 32, 34 };

bool
uuid_parse(const char *text, size_t len, Uuid *out)
{
	Uuid id;

	if (len != UUID_TEXT_LEN || text[8] != '-' || text[13] != '-' ||
		text[18] != '-' || text[23] != '-')
		return false;

	for (int i = 0; i < 16; i++)
	{
		int high = hex_digit(text[digit_at[i]]);
		int low = hex_digit(text[digit_at[i] + 1]);

		if (high < 0 || low < 0)
			return false;
		id.byte[i] = (uint8_t) (high << 4 | low);
	}
	*out = id;
	return true;
}

char *
uuid_format(const Uuid *id, char buf[UUID_TEXT_LEN + 1])
{
	static const char digits[] = "0123456789abcdef";

	buf[8] = buf[13] = buf[18] = buf[23] = '-';
	for (int i = 0; i < 16; i++)
	{
		buf[digit_at[i]] = digits[id->byte[i] >> 4];
		buf[digit_at[i] + 1] = digits[id->byte[i] & 15];
	}
	buf[UUID_TEXT_LEN] = '\0';
	return buf;
}

uint64_t
uuid_hash(const Uuid *id)
{
	uint64_t high;
	uint64_t low;
	__extension__ unsigned __int128 product;

	memcpy(&high, id->byte, 8);
	memcpy(&low, id->byte + 8, 8);

	/* odd constants without structure: the fraction of the golden ratio, pi */
	product = high ^ 0x9e3779b97f4a7c15u;
	product *= low ^ 0x243f6a8885a308d3u;
	high = (uint64_t) (product >> 64) ^ (uint64_t) product;
	high ^= high >> 32;
	high *= 0x9e3779b97f4a7c15u;
	return high ^ high >> 29;
}
