"""One file for each use of a language model: score, sample, complete, fill, rescore, …"""
