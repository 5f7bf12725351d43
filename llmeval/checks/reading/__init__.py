"""What checks read an answer with: words, sentences, lines, the text without its code fence, normal
forms.
"""
