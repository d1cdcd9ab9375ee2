#include "trace/trace-hw_i2c_dw.h"
