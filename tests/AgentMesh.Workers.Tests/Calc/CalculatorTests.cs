using System.Globalization;
using AgentMesh.Errors;
using AgentMesh.Workers.Calc;

namespace AgentMesh.Workers.Tests.Calc;

public sealed class CalculatorTests
{
    [Theory]
    [InlineData("1+2", "3")]
    [InlineData("2+3*4", "14")]
    [InlineData("(2+3)*4", "20")]
    [InlineData("2^3^2", "512")]
    [InlineData("2**10", "1024")]
    [InlineData("-2^2", "-4")]
    [InlineData("(-2)^2", "4")]
    [InlineData("2^-2", "0.25")]
    [InlineData("--3", "3")]
    [InlineData("2*-3", "-6")]
    [InlineData("7%3", "1")]
    [InlineData("-7%3", "-1")]
    [InlineData("5.5%2", "1.5")]
    [InlineData("0.1+0.2", "0.3")]
    [InlineData("1/3", "0.333333333333333333333333333333")]
    [InlineData("2/3", "0.666666666666666666666666666667")]
    [InlineData("-1/8", "-0.125")]
    [InlineData("1/3*3", "1")]
    [InlineData("2^100", "1267650600228229401496703205376")]
    [InlineData("10^20+1", "100000000000000000001")]
    [InlineData("1e3", "1000")]
    [InlineData("2.5e-3", "0.0025")]
    [InlineData("0xff+0b101", "260")]
    [InlineData("1_000_000", "1000000")]
    [InlineData("5!", "120")]
    [InlineData("3!!", "720")]
    [InlineData("sqrt(16)", "4")]
    [InlineData("sqrt(1/4)", "0.5")]
    [InlineData("4^(1/2)", "2")]
    [InlineData("sqrt(2)", "1.4142135623730951")]
    [InlineData("hypot(3,4)", "5")]
    [InlineData("max(1, 5, 3) - min(4, 2)", "3")]
    [InlineData("gcd(12, 18) + lcm(4, 6)", "18")]
    [InlineData("round(2.5)", "3")]
    [InlineData("round(-2.5)", "-3")]
    [InlineData("round(2.345, 2)", "2.35")]
    [InlineData("floor(-1.5)", "-2")]
    [InlineData("ceil(1.2)", "2")]
    [InlineData("trunc(-1.9)", "-1")]
    [InlineData("abs(-7)", "7")]
    [InlineData("pi", "3.141592653589793")]
    [InlineData("sin(0)", "0")]
    [InlineData("log(100)", "2")]
    [InlineData("log(8, 2)", "3")]
    [InlineData("PI - pi", "0")]
    [InlineData("0^0", "1")]
    [InlineData("1^999999", "1")]
    [InlineData("(-1)^999999", "-1")]
    public void Computes(string expression, string result) => Assert.Equal(result, Calculator.Evaluate(expression));

    [Theory]
    [InlineData("1+*2", 3)]
    [InlineData("1+", 3)]
    [InlineData("(1+2", 1)]
    [InlineData("1+2)", 4)]
    [InlineData("1 2", 3)]
    [InlineData("", 1)]
    [InlineData("2 $ 3", 3)]
    [InlineData("1/0", 2)]
    [InlineData("1%0", 2)]
    [InlineData("0^-1", 2)]
    [InlineData("sqrt(-1)", 1)]
    [InlineData("(-8)^0.5", 5)]
    [InlineData("1+foo", 3)]
    [InlineData("foo(1)", 1)]
    [InlineData("sqrt(1,2)", 1)]
    [InlineData("sqrt", 1)]
    [InlineData("2.5!", 4)]
    [InlineData("1..2", 3)]
    public void Names_the_position_of_an_error(string expression, int position)
    {
        MeshException error = Assert.Throws<MeshException>(() => Calculator.Evaluate(expression));

        Assert.Equal(WorkerErrors.Expression, error.Code);
        Assert.Contains($"at position {position.ToString(CultureInfo.InvariantCulture)}\n", error.Message, StringComparison.Ordinal);
        Assert.EndsWith(new string(' ', position + 1) + "^", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("9^9^9^9")]
    [InlineData("100000!")]
    [InlineData("2^40001")]
    [InlineData("1e12000*1e12000")]
    [InlineData("exp(10000)")]
    public void Refuses_work_without_end(string expression) =>
        Assert.Equal(WorkerErrors.ExpressionTooLarge, Assert.Throws<MeshException>(() => Calculator.Evaluate(expression)).Code);

    [Fact]
    public void Bounds_nesting_and_length()
    {
        Assert.Throws<MeshException>(() => Calculator.Evaluate(new string('(', 1000) + "1" + new string(')', 1000)));
        Assert.Throws<MeshException>(() => Calculator.Evaluate(new string('-', 4000) + "1"));
        Assert.Throws<MeshException>(() => Calculator.Evaluate(new string('1', 5000)));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void Never_fails_with_anything_but_its_own_errors(int seed)
    {
        const string alphabet = "0123456789.+-*/^%!(), episqrtfac";
        var random = new Random(seed);
        for (int i = 0; i < 20_000; i++)
        {
            string expression = new([.. Enumerable.Range(0, random.Next(1, 14)).Select(_ => alphabet[random.Next(alphabet.Length)])]);
            try
            {
                Calculator.Evaluate(expression);
            }
            catch (MeshException)
            {
                // Refused with a code: that is the rule.
            }
            catch (Exception error)
            {
                Assert.Fail($"seed {seed}: '{expression}' failed with {error}");
            }
        }
    }
}
