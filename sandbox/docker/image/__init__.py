"""The image that containers are made from: what is in it, and how it is built."""
