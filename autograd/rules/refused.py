"""Functions that take no Values, each with what the error tells to write instead."""

import numpy as np

from ..registry import refuse

refuse("it writes into an array, where no gradient is recorded: write np.where(mask, new, v), or v.at[index].set(new); "
       "for np.full and np.full_like, v * np.ones(shape)",
       np.copyto, np.put, np.place, np.putmask, np.put_along_axis)
refuse("it changes an array in place, which a Value never is: write np.where(np.eye(*v.shape, dtype=bool), new, v)",
       np.fill_diagonal)
refuse("write v * np.ones(shape)", np.full)
refuse("it calls a Python function for each element: apply the function itself, if it consists of NumPy's, or write "
       "np.stack([f(x) for x in v])", np.vectorize)

# Results that depend on the numbers by steps, or by their order
refuse("counts have no derivative: pass v.data; or write np.bincount(np.digitize(x, edges), weights=v) to sum weights",
       np.histogram, np.histogram2d, np.histogramdd, np.histogram_bin_edges)

# What is no float
refuse("it takes integers, and a Value holds floats: write v.data.astype(int)",
       np.bitwise_and, np.bitwise_or, np.bitwise_xor, np.bitwise_not, np.bitwise_count, np.left_shift, np.right_shift,
       np.gcd, np.lcm, np.ix_, np.packbits, np.unpackbits, np.ravel_multi_index, np.unravel_index)
refuse("it takes dates, and a Value holds floats: pass an array of dates",
       np.isnat, np.busday_count, np.busday_offset, np.is_busday, np.datetime_as_string)
refuse("a file holds numbers alone: pass v.data", np.save, np.savez, np.savez_compressed, np.savetxt)
