using System.Globalization;
using Xunit;
using Xunit.Sdk;

namespace Akka.TestKit.Xunit2;

/// <summary>Tells xUnit.</summary>
public class XunitAssertions : ITestKitAssertions
{
    public void Fail(string format = "", params object[] args) => Assert.Fail(Text(format, args));

    public void AssertTrue(bool condition, string format = "", params object[] args) => Assert.True(condition, Text(format, args));

    public void AssertFalse(bool condition, string format = "", params object[] args) => Assert.False(condition, Text(format, args));

    public void AssertEqual<T>(T expected, T actual, string format = "", params object[] args)
    {
        try
        {
            Assert.Equal(expected, actual);
        }
        catch (XunitException e) when (!string.IsNullOrEmpty(format))
        {
            throw new XunitException($"{Text(format, args)}{Environment.NewLine}{e.Message}", e);
        }
    }

    public void AssertEqual<T>(T expected, T actual, Func<T, T, bool> comparer, string format = "", params object[] args) =>
        Assert.True(comparer(expected, actual), $"{Text(format, args)}{Environment.NewLine}Expected: {expected}{Environment.NewLine}Actual:   {actual}");

    // Without arguments, braces are text.
    private static string Text(string format, object[] args) => args is { Length: > 0 } ? string.Format(CultureInfo.InvariantCulture, format, args) : format;
}
