using AgentMesh.Protocol.Pairing.Codes;
using AgentMesh.Protocol.Tests.Crypto;

namespace AgentMesh.Protocol.Tests.Pairing.Codes;

public sealed class PairingCodeTests
{
    [Theory]
    [InlineData("AMBER-WALNUT-4821")]
    [InlineData("amber-walnut-4821")]
    [InlineData("  Amber walnut 4821\n")]
    [InlineData("amber--walnut - 4821")]
    [InlineData("amber.walnut_4821")]
    [InlineData("amber–walnut–4821")]
    public void A_code_is_read_in_any_writing(string text)
    {
        Assert.True(PairingCode.TryParse(text, out PairingCode code, out string problem), problem);
        Assert.Equal("AMBER-WALNUT-4821", code.ToString());
    }

    [Theory]
    [InlineData("", "empty")]
    [InlineData(" - ", "empty")]
    [InlineData("amber", "1 part,")]
    [InlineData("amber-walnut", "2 parts")]
    [InlineData("amber-walnut-4821-1", "4 parts")]
    [InlineData("ambr-walnut-4821", "first part, 'ambr'")]
    [InlineData("amber-walmut-4821", "second part, 'walmut'")]
    [InlineData("amber-walnut-482", "third part, '482'")]
    [InlineData("amber-walnut-48211", "third part")]
    [InlineData("amber-walnut-48a1", "third part")]
    [InlineData("amber-walnut-٤٨٢١", "third part")]
    [InlineData("am\u001b[2Jber-walnut-4821", "first part, 'am?[2Jber'")]
    public void What_is_no_code_is_refused_with_the_part_that_is_wrong(string text, string part)
    {
        Assert.False(PairingCode.TryParse(text, out PairingCode code, out string problem));
        Assert.True(code.IsNone);
        Assert.Contains(part, problem, StringComparison.Ordinal);
    }

    [Fact]
    public void Input_of_any_length_is_refused()
    {
        Assert.False(PairingCode.TryParse(new string('a', 100_000), out _, out string problem));
        Assert.Contains("100000 characters", problem, StringComparison.Ordinal);
    }

    [Fact]
    public void A_code_survives_being_said()
    {
        var entropy = new SeededEntropy(1);
        for (int i = 0; i < 1_000; i++)
        {
            PairingCode code = PairingCode.Next(entropy);
            Assert.True(PairingCode.TryParse(code.ToString(), out PairingCode read, out _));
            Assert.Equal(code, read);
        }
    }

    [Fact]
    public void There_are_1024_words_that_are_short_and_plain()
    {
        string[] words = [.. Enumerable.Range(0, CodeWords.Count).Select(CodeWords.At)];
        Assert.Equal(CodeWords.Count, words.Distinct().Count());
        Assert.All(words, word => Assert.Matches("^[a-z]{3,9}$", word));
        Assert.Throws<IndexOutOfRangeException>(() => CodeWords.At(CodeWords.Count));
    }

    [Fact]
    public void One_slip_makes_no_word_out_of_another()
    {
        for (int i = 0; i < CodeWords.Count; i++)
        {
            Assert.All(SlipsOf(CodeWords.At(i)), slip => Assert.False(CodeWords.TryFind(slip, out int number) && number != i, slip));
        }
    }

    private static IEnumerable<string> SlipsOf(string word)
    {
        for (int i = 0; i <= word.Length; i++)
        {
            for (char c = 'a'; c <= 'z'; c++)
            {
                yield return word[..i] + c + word[i..];
                if (i < word.Length)
                {
                    yield return word[..i] + c + word[(i + 1)..];
                }
            }

            if (i < word.Length)
            {
                yield return word[..i] + word[(i + 1)..];
            }

            if (i + 1 < word.Length)
            {
                yield return word[..i] + word[i + 1] + word[i] + word[(i + 2)..];
            }
        }
    }
}
