/* uses: gateway common/base */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "mark_queue.h"
#include "property.h"

static Mark
mark_of(uint8_t user, uint8_t conversation, int64_t read, int64_t delivered)
{
	Mark mark = { .read_seq = read, .delivered_seq = delivered };

	mark.actor.byte[3] = user;
	mark.conversation_id.byte[5] = conversation;
	return mark;
}

static void
free_list(MarkItem *item)
{
	while (item != NULL)
	{
		MarkItem *next = item->next;

		mark_item_free(&item);
		item = next;
	}
}

static int
waiters_of(const MarkItem *item)
{
	int count = 0;

	for (const MarkWaiter *w = item->waiters; w != NULL; w = w->next)
		count++;
	return count;
}

static void
marks_of_one_cursor_become_one_with_the_highest(void **state)
{
	MarkQueue *queue = mark_queue_new();
	Mark marks[] = { mark_of(1, 1, 5, MARK_NONE), mark_of(1, 2, 9, 9),
					 mark_of(1, 1, MARK_NONE, 7), mark_of(2, 1, 1, 1),
					 mark_of(1, 1, 4, 8) };
	MarkItem *item;
	int count;

	(void) state;
	for (int i = 0; i < 5; i++)
		assert_true(mark_queue_add(queue, &marks[i], &marks[i], i));
	assert_null(mark_queue_take(queue, MARK_MS * 1000 - 1, &count));
	item = mark_queue_take(queue, MARK_MS * 1000 + 10, &count);
	assert_int_equal(count, 3);
	assert_int_equal(item->mark.read_seq, 5);
	assert_int_equal(item->mark.delivered_seq, 8);
	assert_int_equal(waiters_of(item), 3);
	assert_int_equal(item->next->mark.conversation_id.byte[5], 2);
	assert_int_equal(waiters_of(item->next->next), 1);
	free_list(item);
	mark_queue_free(&queue);
}

static void
only_those_that_are_due_are_taken(void **state)
{
	MarkQueue *queue = mark_queue_new();
	Mark early = mark_of(1, 1, 1, 1);
	Mark late = mark_of(1, 2, 2, 2);
	MarkItem *item;
	int count;

	(void) state;
	assert_true(mark_queue_add(queue, &early, NULL, 0));
	assert_true(mark_queue_add(queue, &late, NULL, 1000));
	item = mark_queue_take(queue, MARK_MS * 1000, &count);
	assert_int_equal(count, 1);
	free_list(item);
	early.read_seq = 3; /* of the same cursor again: a new one */
	assert_true(mark_queue_add(queue, &early, NULL, 2000));
	item = mark_queue_take(queue, MARK_MS * 1000 + 2000, &count);
	assert_int_equal(count, 2);
	assert_int_equal(item->mark.read_seq, 2);
	assert_int_equal(item->next->mark.read_seq, 3);
	free_list(item);
	mark_queue_free(&queue);
}

static void
nobody_is_forgotten_or_told_twice(void **state)
{
	MarkQueue *queue = mark_queue_new();
	int told[2000] = { 0 };
	int64_t now_us = 0;
	int count;

	(void) state;
	for (int i = 0; i < 2000; i++)
	{
		Mark mark = mark_of((uint8_t) (i * 7 % 13), (uint8_t) (i * 5 % 11), i,
							MARK_NONE);

		now_us += i % 97 * 100;
		assert_true(mark_queue_add(queue, &mark, &told[i], now_us));
		if (i % 50 == 49 || i == 1999)
		{
			MarkItem *item =
				mark_queue_take(queue, i == 1999 ? INT64_MAX : now_us, &count);

			for (MarkItem *at = item; at != NULL; at = at->next)
			{
				for (MarkWaiter *w = at->waiters; w != NULL; w = w->next)
				{
					++*(int *) w->arg;
					assert_true(at->mark.read_seq >= (int *) w->arg - told);
				}
			}
			free_list(item);
		}
	}
	for (int i = 0; i < 2000; i++)
		assert_int_equal(told[i], 1);
	assert_int_equal(mark_queue_count(queue), 0);
	mark_queue_free(&queue);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(marks_of_one_cursor_become_one_with_the_highest),
		cmocka_unit_test(only_those_that_are_due_are_taken),
		cmocka_unit_test(nobody_is_forgotten_or_told_twice),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
