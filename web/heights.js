/*
 * heights - how tall many rows are, and where each one stands
 *
 * Sums are made when they are asked for and only from the first change on,
 * so that what happens at the end of a long list costs next to nothing.
 *
 * Pure.
 */

export class Heights {
	#sizes = new Float64Array(0);
	#sums = new Float64Array(1);	/* #sums[i]: where row i begins */
	#count = 0;
	#valid = 0;						/* sums up to here are right */

	get count() {
		return this.#count;
	}

	get total() {
		return this.offset(this.#count);
	}

	/* As many rows, each as tall as sizeOf(i) says. */
	reset(count, sizeOf) {
		this.rebase(Infinity, count, sizeOf);
	}

	/*
	 * As many rows; row `i` is what was row `i + by` and keeps its size, one
	 * that was not there is as tall as sizeOf(i) says.
	 */
	rebase(by, count, sizeOf) {
		const from = Math.min(count, Math.max(0, -by));
		const upto = Math.max(from, Math.min(count, this.#count - by));
		const sizes = new Float64Array(count);

		for (let i = 0; i < from; i++)
			sizes[i] = sizeOf(i);
		if (upto > from)
			sizes.set(this.#sizes.subarray(from + by, upto + by), from);
		for (let i = upto; i < count; i++)
			sizes[i] = sizeOf(i);
		this.#sizes = sizes;
		this.#sums = new Float64Array(count + 1);
		this.#count = count;
		this.#valid = 0;
	}

	size(i) {
		return this.#sizes[i];
	}

	/* True when that changes anything. */
	set(i, size) {
		if (this.#sizes[i] === size)
			return false;
		this.#sizes[i] = size;
		this.#valid = Math.min(this.#valid, i);
		return true;
	}

	/* Where row `i` begins; `count` is the end of the last. */
	offset(i) {
		while (this.#valid < i) {
			this.#sums[this.#valid + 1] =
				this.#sums[this.#valid] + this.#sizes[this.#valid];
			this.#valid++;
		}
		return this.#sums[i];
	}

	/* The row that covers this offset; the nearest one when none does. */
	indexAt(offset) {
		let low = 0, high = this.#count - 1;

		this.offset(this.#count);
		while (low < high) {
			const middle = (low + high + 1) >> 1;

			if (this.#sums[middle] <= offset)
				low = middle;
			else
				high = middle - 1;
		}
		return Math.max(0, low);
	}
}
