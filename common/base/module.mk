# Plain helpers that know no chat rule and no foreign library.
KIND := lib
