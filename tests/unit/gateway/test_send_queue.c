/* uses: gateway common/base */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "property.h"
#include "send_queue.h"

static SendItem *
item_new(uint8_t conversation, uint32_t number)
{
	SendItem *item = calloc(1, sizeof(*item) + 4);

	item->conversation_id.byte[0] = conversation;
	memcpy(item->client_msg_id.byte, &number, sizeof(number));
	item->deadline_us = INT64_C(1000000000);
	item->body_len = 4;
	return item;
}

static uint32_t
number_of(const SendItem *item)
{
	uint32_t number;

	memcpy(&number, item->client_msg_id.byte, sizeof(number));
	return number;
}

static void
free_list(SendItem *item)
{
	while (item != NULL)
	{
		SendItem *next = item->next;

		free(item);
		item = next;
	}
}

static void
what_waits_goes_together_oldest_first(void **state)
{
	SendQueue *queue = send_queue_new();
	SendItem *batch;
	uint32_t expected = 0;
	int count;

	(void) state;
	for (uint32_t i = 0; i < 300; i++)
		send_queue_add(queue, item_new((uint8_t) (i % 7), i));
	batch = send_queue_take(queue, 0, &count);
	assert_int_equal(count, SEND_BATCH_MAX);
	for (SendItem *item = batch; item != NULL; item = item->next)
		assert_int_equal(number_of(item), expected++);
	free_list(batch);
	batch = send_queue_take(queue, 0, &count);
	assert_int_equal(count, 300 - SEND_BATCH_MAX);
	free_list(batch);
	assert_null(send_queue_take(queue, 0, &count));
	send_queue_free(&queue);
}

static void
a_busy_conversation_rests_and_others_pass(void **state)
{
	SendQueue *queue = send_queue_new();
	SendItem *busy;
	SendItem *batch;
	int count;

	(void) state;
	send_queue_add(queue, item_new(1, 1));
	busy = send_queue_take(queue, 0, &count);
	busy->was_busy = true;
	send_queue_add(queue, item_new(1, 2));
	send_queue_add(queue, item_new(2, 3));
	send_queue_put_back(queue, busy, 0);

	batch = send_queue_take(queue, 1000, &count);
	assert_int_equal(count, 1);
	assert_int_equal(number_of(batch), 3);
	free_list(batch);
	assert_int_equal(send_queue_next_us(queue), SEND_REST_MIN_MS * 1000);
	assert_null(send_queue_take(queue, 1000, &count));

	batch = send_queue_take(queue, SEND_REST_MIN_MS * 1000, &count);
	assert_int_equal(count, 2);
	assert_int_equal(number_of(batch), 1);
	assert_int_equal(number_of(batch->next), 2);
	free_list(batch);
	send_queue_expire(queue, 0);
	send_queue_free(&queue);
}

static void
resting_gets_longer_until_a_send_passes(void **state)
{
	SendQueue *queue = send_queue_new();
	SendItem *item = item_new(9, 1);
	int64_t now_us = 0;
	int64_t last_ms = 0;
	int count;

	(void) state;
	send_queue_add(queue, item);
	for (int i = 0; i < 10; i++)
	{
		int64_t rest_ms;

		item = send_queue_take(queue, now_us, &count);
		assert_non_null(item);
		item->was_busy = true;
		send_queue_put_back(queue, item, now_us);
		rest_ms = (send_queue_next_us(queue) - now_us) / 1000;
		assert_true(rest_ms >= last_ms);
		assert_true(rest_ms <= 320);
		last_ms = rest_ms;
		now_us += rest_ms * 1000;
	}
	item = send_queue_take(queue, now_us, &count);
	send_queue_passed(queue, &item->conversation_id);
	item->was_busy = true;
	send_queue_put_back(queue, item, now_us);
	assert_int_equal(send_queue_next_us(queue) - now_us,
					 SEND_REST_MIN_MS * 1000);
	free_list(send_queue_expire(queue, INT64_MAX));
	send_queue_free(&queue);
}

static void
a_batch_is_bounded_in_bytes(void **state)
{
	SendQueue *queue = send_queue_new();
	int count;

	(void) state;
	for (uint32_t i = 0; i < 3; i++)
	{
		SendItem *item = item_new(1, i);

		item->body_len = SEND_BATCH_BYTES / 2 + 1;
		send_queue_add(queue, item);
	}
	for (int i = 0; i < 3; i++)
	{
		free_list(send_queue_take(queue, 0, &count));
		assert_int_equal(count, 1);
	}
	send_queue_free(&queue);
}

/* Whatever is busy, put back, late or new: one conversation keeps its order. */
static void
order_within_a_conversation_always_holds(void **state)
{
	Random random = random_begin();
	SendQueue *queue = send_queue_new();
	uint32_t next[5] = { 0 };
	uint32_t expected[5] = { 0 };
	int64_t now_us = 0;
	uint32_t waiting = 0;

	(void) state;
	for (int step = 0; step < 20000; step++)
	{
		now_us += (int64_t) random_below(&random, 20000);
		if (random_below(&random, 2) == 0)
		{
			uint8_t c = (uint8_t) random_below(&random, 5);

			send_queue_add(queue, item_new(c, next[c]++));
			waiting++;
		}
		if (random_below(&random, 3) == 0)
		{
			int count;
			SendItem *item = send_queue_take(queue, now_us, &count);
			SendItem *again = NULL;
			SendItem **end = &again;
			bool is_held[5];

			for (int c = 0; c < 5; c++)
				is_held[c] = random_below(&random, 4) == 0;
			while (item != NULL)
			{
				SendItem *rest = item->next;
				uint8_t c = item->conversation_id.byte[0];

				item->next = NULL;
				if (is_held[c])
				{
					item->was_busy = true;
					*end = item;
					end = &item->next;
				}
				else
				{
					assert_int_equal(number_of(item), expected[c]);
					expected[c]++;
					waiting--;
					send_queue_passed(queue, &item->conversation_id);
					free(item);
				}
				item = rest;
			}
			send_queue_put_back(queue, again, now_us);
			assert_int_equal(send_queue_count(queue), waiting);
		}
	}
	free_list(send_queue_expire(queue, INT64_MAX));
	assert_int_equal(send_queue_count(queue), 0);
	send_queue_free(&queue);
}

static void
the_late_ones_come_out_and_the_rest_stay(void **state)
{
	SendQueue *queue = send_queue_new();
	SendItem *late;
	int count;

	(void) state;
	for (uint32_t i = 0; i < 10; i++)
	{
		SendItem *item = item_new(1, i);

		item->deadline_us = i % 2 == 0 ? 10 : 100;
		send_queue_add(queue, item);
	}
	late = send_queue_expire(queue, 50);
	count = 0;
	for (SendItem *item = late; item != NULL; item = item->next)
		assert_int_equal(number_of(item), 2 * count++);
	assert_int_equal(count, 5);
	free_list(late);
	send_queue_add(queue, item_new(1, 11));
	late = send_queue_take(queue, 0, &count);
	assert_int_equal(count, 6);
	assert_int_equal(number_of(late), 1);
	free_list(late);
	send_queue_free(&queue);
}

static SendItem *
call_new(uint8_t conversation, uint32_t number)
{
	SendItem *call = item_new(conversation, number);

	call->is_call = true;
	return call;
}

static void
a_call_waits_for_the_sends_before_it_and_holds_those_after(void **state)
{
	SendQueue *queue = send_queue_new();
	SendItem *batch;
	SendItem *call;
	int count;

	(void) state;
	send_queue_add(queue, item_new(1, 1));
	send_queue_add(queue, call_new(1, 2));
	send_queue_add(queue, item_new(1, 3));
	send_queue_add(queue, item_new(2, 4));
	assert_null(send_queue_take_call(queue, NULL, 0));
	batch = send_queue_take(queue, 0, &count);
	assert_int_equal(count, 2);
	assert_int_equal(number_of(batch), 1);
	assert_int_equal(number_of(batch->next), 4);
	assert_null(send_queue_take_call(queue, batch, 0)); /* under way */
	free_list(batch);
	call = send_queue_take_call(queue, NULL, 0);
	assert_int_equal(number_of(call), 2);
	assert_null(send_queue_take(queue, 0, &count));
	send_queue_call_ended(queue, call);
	free_list(call);
	batch = send_queue_take(queue, 0, &count);
	assert_int_equal(number_of(batch), 3);
	free_list(batch);
	send_queue_free(&queue);
}

static void
calls_of_one_conversation_go_one_by_one(void **state)
{
	SendQueue *queue = send_queue_new();
	SendItem *first;
	SendItem *other;

	(void) state;
	send_queue_add(queue, call_new(1, 1));
	send_queue_add(queue, call_new(1, 2));
	send_queue_add(queue, call_new(2, 3));
	first = send_queue_take_call(queue, NULL, 0);
	assert_int_equal(number_of(first), 1);
	other = send_queue_take_call(queue, NULL, 0);
	assert_int_equal(number_of(other), 3);
	assert_null(send_queue_take_call(queue, NULL, 0));
	first->was_busy = true; /* somebody held it: again, after a rest */
	send_queue_put_back(queue, first, 0);
	assert_null(send_queue_take_call(queue, NULL, 0));
	first = send_queue_take_call(queue, NULL, SEND_REST_MAX_MS * 1000);
	assert_int_equal(number_of(first), 1);
	send_queue_call_ended(queue, other);
	send_queue_call_ended(queue, first);
	send_queue_passed(queue, &first->conversation_id);
	free_list(first);
	free_list(other);
	free_list(send_queue_expire(queue, INT64_MAX));
	assert_int_equal(send_queue_count(queue), 0);
	send_queue_free(&queue);
}

/* Whatever is busy: each conversation's items leave in their order. */
static void
calls_and_sends_keep_the_order_of_their_conversation(void **state)
{
	enum
	{
		ITEMS = 3000,
		CONVERSATIONS = 5
	};
	SendQueue *queue = send_queue_new();
	uint32_t last[CONVERSATIONS] = { 0 };
	SendItem *running[CONVERSATIONS] = { NULL };
	SendItem *batch = NULL;
	Random random = random_begin();
	uint32_t added = 0;
	int left = ITEMS;
	int64_t now_us = 0;
	int count;

	(void) state;
	while (left > 0)
	{
		SendItem *call;

		now_us += 3000;
		for (uint64_t i = random_below(&random, 8); i > 0 && added < ITEMS; i--)
		{
			uint8_t c = (uint8_t) random_below(&random, CONVERSATIONS);

			added++;
			send_queue_add(queue, random_below(&random, 3) == 0
									  ? call_new(c, added)
									  : item_new(c, added));
		}
		if (batch == NULL)
			batch = send_queue_take(queue, now_us, &count);
		while ((call = send_queue_take_call(queue, batch, now_us)) != NULL)
		{
			uint8_t c = call->conversation_id.byte[0];

			assert_null(running[c]);
			for (SendItem *item = batch; item != NULL; item = item->next)
				assert_int_not_equal(item->conversation_id.byte[0], c);
			running[c] = call;
		}
		for (int c = 0; c < CONVERSATIONS; c++)
		{
			if (running[c] == NULL || random_below(&random, 2) == 0)
				continue;
			if (random_below(&random, 4) == 0)
			{
				running[c]->was_busy = true;
				send_queue_put_back(queue, running[c], now_us);
			}
			else
			{
				assert_true(number_of(running[c]) > last[c]);
				last[c] = number_of(running[c]);
				send_queue_call_ended(queue, running[c]);
				free_list(running[c]);
				left--;
			}
			running[c] = NULL;
		}
		if (batch == NULL || random_below(&random, 2) == 0)
			continue;
		for (SendItem *item = batch; item != NULL; item = item->next)
		{
			uint8_t c = item->conversation_id.byte[0];

			assert_null(running[c]);
			assert_true(number_of(item) > last[c]);
			last[c] = number_of(item);
			left--;
		}
		free_list(batch);
		batch = NULL;
	}
	assert_int_equal(send_queue_count(queue), 0);
	free_list(send_queue_expire(queue, INT64_MAX));
	send_queue_free(&queue);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_waits_goes_together_oldest_first),
		cmocka_unit_test(a_busy_conversation_rests_and_others_pass),
		cmocka_unit_test(resting_gets_longer_until_a_send_passes),
		cmocka_unit_test(a_batch_is_bounded_in_bytes),
		cmocka_unit_test(order_within_a_conversation_always_holds),
		cmocka_unit_test(the_late_ones_come_out_and_the_rest_stay),
		cmocka_unit_test(
			a_call_waits_for_the_sends_before_it_and_holds_those_after),
		cmocka_unit_test(calls_of_one_conversation_go_one_by_one),
		cmocka_unit_test(calls_and_sends_keep_the_order_of_their_conversation),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
