"""The instructions of IFEval (English, Spanish, French, Japanese) and IFBench, one check each."""
