"""A controller as flight code: a module of PX4, or an out-of-tree controller of the Crazyflie's firmware."""
