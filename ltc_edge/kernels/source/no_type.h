/* no_type.h: forget the type that vector.h was included for. */
#undef REAL
#undef WHOLE
#undef NAME
#undef DOUBLE_PRECISION
#undef V
#undef VI
#undef LANES
#undef EXPONENT_BIAS
#undef MANTISSA_BITS
#undef LARGEST_EXPONENT
#undef EXP2_DEGREE
#undef EXP2_SHIFT
#undef COTH_DEGREE
